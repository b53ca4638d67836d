//! Credentials for gateways that ask before they forward: the answer says which headers to set.
//!
//! ```text
//! gateway ── "a client asks for PATH" ──▶ original (the path) ─▶ desk (route, allow-list, connection)
//!    ▲                                                                  │
//!    └── 200 and the credential's headers, 403, or 503 ◀────────────────┘
//! ```
//!
//! One listener takes the question in every form: plain HTTP, Envoy's gRPC, and Envoy's external processing, which alone
//! sees the API's answer too. Nothing of a request is ever reflected in an answer.

mod check;
mod desk;
mod http_form;
mod original;
mod process;

use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;

use crate::config;
use crate::connection::Connections;
use crate::grpc;
use crate::service::{Answering, Peer, Service};

use desk::Desk;
use original::Original;

/// The service of an `[authz.NAME]`.
pub(crate) struct Authz {
    desk: Arc<Desk>,
    original: Original,
}

impl Authz {
    /// `connections` has every one that the configuration names: [`Config::check`](crate::Config::check) has seen to that.
    pub(crate) fn new(config: &config::Authz, connections: &Connections) -> Self {
        Self {
            desk: Arc::new(Desk::new(config.connection.as_deref(), &config.routes, connections)),
            original: Original::new(config.original_path_header.clone()),
        }
    }
}

impl Service for Authz {
    fn call(&self, request: Request<Incoming>, _: &Peer) -> Answering {
        let desk = Arc::clone(&self.desk);
        // A call of any other name is a question as plain HTTP, of a gateway whose client makes a gRPC call: a gRPC answer would
        // be a 200 to it.
        match request.uri().path() {
            "/envoy.service.auth.v3.Authorization/Check" if grpc::is_call(&request) => {
                return grpc::unary(
                    request,
                    move |question| async move { check::answer(&desk, question).await },
                );
            }
            "/envoy.service.ext_proc.v3.ExternalProcessor/Process" if grpc::is_call(&request) => {
                return grpc::streaming(request, move |incoming| process::answer(desk, incoming));
            }
            _ => {}
        }
        // What the gateway may have sent of the client's body is of no interest.
        let (question, _) = request.into_parts();
        let asked = http_form::read(&question, &self.original);
        Box::pin(async move { http_form::answer(&desk, asked).await })
    }
}
