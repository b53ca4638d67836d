//! Serves the credentials of connections to those that load no component: gateways, proxies and applications.
//!
//! A [`Gateway`] opens the listeners of a [`Config`]: reverse proxies that set the credential, authorisation services for
//! other proxies, secrets for Envoy, token endpoints, and what operators look at. It knows nothing of WebAssembly: where a
//! credential comes from is behind the trait [`Connection`], how an upstream is reached behind [`Network`].
//!
//! ```text
//! Config -> listen (address, guard, HTTP) -> proxy | authz | sds | endpoint | ops -> Connection, Network
//! ```
//!
//! What holds for every listener:
//!
//! - It is open to this machine alone unless the configuration says otherwise, and web pages cannot use it.
//! - Nobody can keep it busy by being slow, and nobody's oversized request is kept in memory.
//! - A new configuration takes effect without a connection being dropped; one that cannot work changes nothing.
//! - A secret leaves by the answer that is asked for, never by a log line, a metric or an error.

mod answer;
mod authz;
pub mod config;
mod connection;
mod drain;
mod endpoint;
mod fault;
mod gateway;
mod grpc;
mod keys;
mod listen;
mod moment;
mod network;
mod ops;
pub mod path;
mod pattern;
mod proxy;
mod sds;
mod service;
mod traces;

pub use config::Config;
pub use connection::{Changes, Connection, Connections, Credential, Status, Unavailable, Waiting};
pub use fault::Fault;
pub use gateway::Gateway;
pub use listen::{Socket, Sockets};
pub use network::{Connected, Connecting, Io, Network, Speaking};
pub use traces::{Collector, Exporting, Traces};
