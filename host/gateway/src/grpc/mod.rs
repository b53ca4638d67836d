//! gRPC on our own listeners: HTTP/2 requests among others, told apart by their content type.
//!
//! tonic does the framing and the status; the connection, its limits and its guard are the listener's. The messages are
//! Envoy's, those fields that are used here: the whole set as generated code (`envoy-types`) takes a minute of a core to
//! compile with what it needs, these and tonic eight seconds.

mod call;
pub(crate) mod messages;

pub(crate) use call::{Replies, is_call, streaming, unary, unimplemented};
