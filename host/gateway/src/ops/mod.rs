//! What operators look at. None of it holds a secret.
//!
//! | path | answer |
//! |---|---|
//! | `/` | the status page |
//! | `/livez` | 200: the process answers |
//! | `/readyz` | 200 when every connection in use holds a usable credential, else 503 and which do not |
//! | `/metrics` | for Prometheus |
//! | `/status.json` | every connection and every listener |

mod board;
mod exposition;
mod health;
mod metrics;
mod page;
mod status;

use std::sync::Arc;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::answer;
use crate::service::{Answering, Body, Peer, Service};
pub(crate) use board::{Board, Listening};

/// The service of `[ops]`.
pub(crate) struct Ops {
    board: Arc<Board>,
}

impl Ops {
    /// Shows what is on the board.
    pub(crate) fn new(board: Arc<Board>) -> Self {
        Self { board }
    }

    fn answer(&self, method: &Method, path: &str) -> Response<Body> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            let message = "everything here is only read: GET or HEAD";
            let mut response = answer::error(StatusCode::METHOD_NOT_ALLOWED, "ops-method", message);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match path {
            "/" => page::answer(),
            "/livez" => answer::empty(StatusCode::OK),
            "/readyz" => health::readiness(&self.board.shown()),
            "/metrics" => text(exposition::CONTENT_TYPE, metrics::text(&self.board)),
            "/status.json" => status::answer(&self.board),
            _ => answer::error(
                StatusCode::NOT_FOUND,
                "ops-path",
                "there are /, /livez, /readyz, /metrics and /status.json here",
            ),
        }
    }
}

impl Service for Ops {
    fn call(&self, request: Request<Incoming>, _: &Peer) -> Answering {
        let response = self.answer(request.method(), request.uri().path());
        Box::pin(async move { response })
    }
}

fn text(content_type: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(answer::whole(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
