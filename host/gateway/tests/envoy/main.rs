//! What gateways ask for, over real sockets: the authorisation service and Envoy's secrets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first surprise"
)]

mod authz_grpc;
mod authz_http;
mod client;
mod connection;
mod grpc;
#[path = "../../src/grpc/messages/mod.rs"]
mod messages;
mod sds_files;
mod sds_grpc;
mod serving;
