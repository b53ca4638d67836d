//! The outside world on loopback, for trying and testing what cannot be tried against the real vendors.
//!
//! A [`Sandbox`] plays every party that a workload identity meets: the cluster's token issuer, the volume into which a
//! kubelet projects the token, the metadata servers of other platforms, the vendors' token endpoints and their APIs. It
//! *checks* what it receives:
//! signatures, issuers, audiences, lifetimes and mappings all have to be right, and the API opens only for tokens that
//! the token endpoint issued and that have not expired, and for keys that the Admin API made and that have not been
//! deleted. [`Fault`]s can be switched on while it runs.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use keyless_sandbox::{Options, Sandbox};
//!
//! let sandbox = Sandbox::start(Options::default()).await?;
//! println!("{}", sandbox.announce());
//! sandbox.rotate_token()?;
//! sandbox.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! Nothing here is meant for production: the keys live for one run, and the only listeners are on loopback. Unix only,
//! because a projected volume is made of symbolic links.

mod admin;
mod announce;
mod answer;
mod anthropic;
mod aws;
mod bearer;
mod body;
mod client_certificates;
mod clock;
mod documents;
mod exchange;
mod faults;
mod form;
mod front;
mod issuer;
mod ledger;
mod listen;
mod lock;
mod oauth;
mod openai_admin;
mod options;
mod platform;
mod random;
mod recipes;
mod redact;
mod sandbox;
mod service;
mod sha256;
mod tls;
mod tokens;
mod upstream;
mod volume;
mod world;

pub use documents::Documents;
pub use exchange::refusal::ErrorShape;
pub use faults::{Fault, RetryAfter};
pub use issuer::claims::Claims;
pub use ledger::{Counters, RequestRecord};
pub use openai_admin::ServiceAccountRecord;
pub use openai_admin::call::OpenAiAdminCall;
pub use openai_admin::service_accounts::ServiceAccountsRecord;
pub use options::{Mapping, Options};
pub use recipes::Recipe;
pub use sandbox::{Error, Sandbox};
pub use service::ServiceName;

/// The README's example is compiled, as the one above is run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
