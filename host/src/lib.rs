//! Runs the Keyless component: a platform's identity in, a fresh API credential out.
//!
//! A *connection document* says which identity to use and which API to open. The component understands it, fetches the
//! identity token, trades it at the API's token endpoint and keeps the credential fresh. It is WebAssembly and does
//! nothing by itself: this crate gives it the files and the endpoints of a [`Grant`], and nothing else.
//!
//! ```no_run
//! use std::time::Duration;
//! use keyless::{Grant, Runtime, Variables};
//!
//! # async fn example(mut request: http::Request<String>) -> Result<(), keyless::Error> {
//! let document = r#"{
//!   "source": { "type": "kubernetes", "token_file_path": "/var/run/secrets/openai/token" },
//!   "exchange": { "type": "openai", "identity_provider_id": "idp_1", "service_account_id": "svc_acct_1" }
//! }"#;
//!
//! let runtime = Runtime::builder().build()?; // one for the whole process
//! let variables = Variables::from_environment(&runtime.variables(document).await?)?;
//! let plan = runtime.plan(document, &variables).await?;
//! let connection = runtime.open(document, variables, Grant::for_plan(&plan)).await?;
//!
//! // For every request:
//! let credential = match connection.credential() {
//!     Some(credential) => credential,                               // a few nanoseconds
//!     None => connection.ready(Duration::from_secs(10)).await?,     // the first time, or after a long outage
//! };
//! credential.apply(request.headers_mut());
//!
//! // And when the API answers 401:
//! connection.reject(credential.generation());
//! let credential = connection.ready(Duration::from_secs(10)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//!
//! - [`Connection::credential`] gives a credential whenever one is held that has not expired on either clock. A failed
//!   renewal never hides a valid one.
//! - There is at most one exchange in flight per connection, however many callers wait.
//! - No failure is final: only [`Connection::close`], or dropping the last clone, ends a connection.
//! - Requests go to the endpoints of the grant only: no redirect is followed, no proxy is used, and plain `http` reaches
//!   loopback and the known cloud metadata addresses only.
//! - A component that traps, loops, hangs or outgrows its memory is replaced; what it last gave is served meanwhile.
//!
//! # HTTP clients
//!
//! The features `tower` and `reqwest` (both off by default) bring a layer of tower and a middleware for reqwest, which do the
//! above for every request, and the second try after a 401.
//!
//! Log events go through [`tracing`]; they never hold a secret. Keep the levels of *other* crates (`wasmtime*`, `h2`,
//! `hyper`) at `info` or above in production: what they write at `trace` is not ours to promise.

mod accounts;
#[cfg(any(feature = "reqwest", feature = "tower"))]
mod authorize;
mod bindings;
mod builder;
mod cache;
mod clock;
mod compiled;
mod component;
mod connection;
mod credential;
mod error;
mod files;
mod flight;
mod grant;
mod home;
mod instance;
mod keeper;
mod limits;
mod lock;
mod plan;
mod renewal;
#[cfg(feature = "reqwest")]
pub mod reqwest;
mod runtime;
pub mod sender;
mod shared;
mod snapshot;
mod source;
mod status;
#[cfg(feature = "tower")]
pub mod tower;
mod variables;

pub use accounts::{Account, Prune, Standing};
pub use builder::Builder;
pub use cache::Cache;
pub use clock::Clocks;
pub use component::ComponentInfo;
pub use connection::{Changes, Connection};
pub use credential::Credential;
pub use error::{Error, ErrorKind};
pub use grant::{Grant, SourceGrant};
pub use limits::Limits;
pub use lock::Lock;
pub use plan::{ClientCertificate, Endpoint, Plan, Requirements, Setting, SourceComponent, Warning};
pub use runtime::Runtime;
pub use sender::ConnectTo;
pub use snapshot::CredentialRef;
pub use status::{Phase, Status};
pub use variables::Variables;

/// The README's examples are compiled, as the one above is.
#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../README.md")]
struct Readme;
