//! What operators look at.

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;

use crate::answer;
use crate::service::{Answering, Peer, Service};

/// The service of `[ops]`.
pub(crate) struct Ops;

impl Ops {
    pub(crate) fn new() -> Self {
        Self
    }
}

impl Service for Ops {
    fn call(&self, request: Request<Incoming>, _: &Peer) -> Answering {
        let response = match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/livez") => answer::empty(StatusCode::OK),
            _ => answer::error(StatusCode::NOT_FOUND, "not-found", "this listener answers /livez"),
        };
        Box::pin(async move { response })
    }
}
