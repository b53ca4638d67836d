//! Stands in for `host/src/flight/sync.rs`: each operation is one step, before which loom may let any other thread go.
//!
//! Atomics are loom's, with all that their orderings allow. [`Swap`] promises what arc-swap documents, an `Acquire` load
//! and a `Release` store of a whole `Arc`. `Notify` and `oneshot` are tokio's own, taken to be right inside
//! (tokio checks them with loom). Timers never fire: nothing may depend on them.

mod fault;
mod lock;
mod notify;
pub(crate) mod oneshot;
mod point;
mod swap;

pub(super) use loom::sync::atomic::{AtomicU64, Ordering};

pub(crate) use fault::{Fault, with_fault};
pub(super) use lock::RwLock;
pub(super) use notify::Notify;
pub(super) use swap::Swap;

/// What a [`Swap`] held when it was read.
pub(crate) type Guard<T> = std::sync::Arc<T>;

/// Never.
pub(super) async fn sleep(_: std::time::Duration) {
    std::future::pending::<()>().await;
}
