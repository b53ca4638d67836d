//! Listeners: where they are, who may use them, how long a slow client is waited for.
//!
//! ```text
//! bind (address -> socket) -> accept (a limit of connections) -> http (limits of time and size) -> guard -> service
//! ```

mod accept;
mod bind;
mod counters;
mod door;
mod guard;
mod http;
mod patience;
mod workers;

pub(crate) use bind::{Bound, bind, set_mode};
pub use bind::{Socket, Sockets};
pub(crate) use counters::{Counters, Counts};
pub(crate) use door::{Door, Handler};
pub(crate) use guard::Guard;
pub(crate) use workers::Workers;
