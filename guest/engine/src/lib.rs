//! All policy of Keyless, and no I/O.
//!
//! ```text
//! document ──read──▶ connection ──▶ machine ── step(now, event) ──▶ effects
//!                                     │
//!                                     ├─ attempt: source ──▶ exchange      what to ask, whom to tell what
//!                                     └─ lease                             when
//! ```
//!
//! - [`document`]: every way people write a connection down, into one [`connection::Connection`].
//! - [`source`]: where an identity token comes from. [`exchange`]: how it becomes an access token.
//! - [`minting`]: keys that a connection makes itself, where there is nothing to exchange.
//! - [`lease`]: when to renew, what to do about failure. Knows nothing of the others.
//! - [`machine`]: the whole, for adapters. Time, answers and randomness are handed in; a run can be replayed.

// No I/O, and the compiler sees to it: there are no files, sockets, clocks or threads in `core` and `alloc`.
#![cfg_attr(not(test), no_std)]

#[macro_use]
extern crate alloc;

pub mod api;
mod attempt;
mod audience;
mod calendar;
mod carry;
pub mod connection;
pub mod document;
mod duration;
pub mod entropy;
pub mod error;
pub mod exchange;
pub mod fields;
pub mod hex;
mod http_date;
pub mod io;
pub mod json;
pub mod key;
pub mod lease;
pub mod machine;
pub mod minting;
pub mod plan;
pub mod retry_after;
pub mod secret;
pub mod source;
mod spelling;
pub mod split;
pub mod subject_token;
pub mod token_type;
pub mod url;
pub mod variables;

pub use document::{plan, variables};
pub use error::{Code, Error, Kind};
pub use machine::{Answered, Event, Machine};
pub use variables::Variables;
