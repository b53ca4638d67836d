//! Keyless as an HTTP gateway made of components: the world `http-gateway` of `wit/gateway.wit`.
//!
//! A request comes in by `wasi:http/incoming-handler`; who may send it is [`access`]'s to say, and [`target`]'s whether it
//! is one for the API. Then [`passage`] sends it with the connection's credential ([`connection`], [`headers`]), once more
//! after a 401 if its body was kept ([`upload`]), and passes the answer on as it comes ([`download`]); who is silent for too
//! long is given up ([`patience`]). What is answered here instead is a [`refusal`]. All policy about credentials is the provider's, behind its interface.
//!
//! It does what the proxy of `keyless serve` does (docs/serve.md), as far as `wasi:http` goes; what both have to agree on,
//! the list of headers that hold keys and which paths are ambiguous, is read from the same files.

mod access;
mod connection;
mod download;
mod headers;
mod passage;
mod patience;
mod refusal;
mod target;
mod upload;

#[path = "../../../host/gateway/src/keys.rs"]
mod keys;
#[path = "../../../host/gateway/src/path.rs"]
#[expect(unreachable_pub, reason = "shared with a crate whose other modules use it")]
mod path;

use wasi::http::types::{IncomingRequest, ResponseOutparam};

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "http-gateway",
        features: ["gateway"],
        with: {
            "wasi:cli/environment@0.2.0": wasi::cli::environment,
            "wasi:clocks/monotonic-clock@0.2.0": wasi::clocks::monotonic_clock,
            "wasi:http/outgoing-handler@0.2.0": wasi::http::outgoing_handler,
            "wasi:http/types@0.2.0": wasi::http::types,
            "wasi:io/error@0.2.0": wasi::io::error,
            "wasi:io/poll@0.2.0": wasi::io::poll,
            "wasi:io/streams@0.2.0": wasi::io::streams,
        },
    });

    export!(Exported with_types_in self);

    use super::Exported;
}

struct Exported;

impl bindings::exports::wasi::http::incoming_handler::Guest for Exported {
    /// Returns when the last byte of the answer is out: until then the request and its answer need this code.
    fn handle(request: IncomingRequest, answer: ResponseOutparam) {
        passage::pass(request, answer);
    }
}
