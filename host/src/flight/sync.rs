//! The primitives that the protocol is made of. `tests/loom` has a file of the same names, whose primitives are run
//! through every order of their operations.

pub(super) use std::sync::RwLock;
pub(super) use std::sync::atomic::{AtomicU64, Ordering};

pub(super) use tokio::sync::Notify;
pub(crate) use tokio::sync::oneshot;
pub(super) use tokio::time::sleep;

/// An `Arc` that is replaced as a whole.
pub(super) type Swap<T> = arc_swap::ArcSwap<T>;

/// What a [`Swap`] held when it was read.
pub(crate) type Guard<T> = arc_swap::Guard<std::sync::Arc<T>>;
