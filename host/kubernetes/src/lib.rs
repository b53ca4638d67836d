//! Keeps a Kubernetes Secret filled with a credential.
//!
//! ```text
//! Supply (opens a connection, gives Contents) ─▶ sync ─▶ secret::Writer ─▶ API server
//!                                                 ▲
//!                  election::Elector (one leader) ┘
//! ```
//!
//! Any number of replicas may run [`sync`]: one of them leads by a Lease, gets credentials and writes; the others wait, and
//! hold no connection. What is written is what is ours: server-side apply with the field manager [`FIELD_MANAGER`].
//!
//! This crate knows Kubernetes and no more: whoever uses it brings the credentials, by the trait [`Supply`].
//! [`secret`](secret()) reads one key of a Secret, for those who need no more than that.

mod clock;
mod cluster;
mod election;
mod fault;
mod name;
mod read;
mod secret;
mod sync;

pub use cluster::Cluster;
pub use election::{Identity, Timing};
pub use fault::{Fault, Kind};
pub use name::ObjectName;
pub use read::secret;
pub use secret::{Content, FIELD_MANAGER, Target};
pub use sync::{Held, Origin, Settings, Supply, sync};
