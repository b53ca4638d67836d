//! The token endpoint for applications, and for External Secrets' webhook generator.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/credential/NAME` | 200 and a [`record`]; 404 for a name that is not served here; 503 while there is no credential |
//! | `POST /v1/credential/NAME/rejected` with `{"generation": N}` | 204: noted that the API answered 401 to it |
//!
//! No answer may be stored by a cache. Who may ask is decided before, by `listen`.

mod path;
mod record;
mod rejected;

use std::sync::Arc;
use std::time::Duration;

use http::header::ALLOW;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::answer;
use crate::connection::{Connection, Connections};
use crate::service::{Answering, Body, Peer, Service};
use path::Asked;

/// How long a request waits for a first credential, or for the one that follows a rejected one. Shorter than the patience
/// of the clients that ask, so that they are told what is wrong instead of giving up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hands out the credentials of these connections.
pub(crate) struct Endpoint {
    connections: Arc<Connections>,
}

impl Endpoint {
    /// Of these connections alone.
    pub(crate) fn new(connections: Connections) -> Self {
        Self { connections: Arc::new(connections) }
    }
}

impl Service for Endpoint {
    fn call(&self, request: Request<Incoming>, _peer: &Peer) -> Answering {
        let connections = Arc::clone(&self.connections);
        Box::pin(async move { answer(&connections, request).await })
    }
}

async fn answer(connections: &Connections, request: Request<Incoming>) -> Response<Body> {
    let Some(asked) = Asked::read(request.uri().path()) else {
        return answer::error(
            StatusCode::NOT_FOUND,
            "endpoint-path",
            "there are GET /v1/credential/NAME and POST /v1/credential/NAME/rejected here, nothing else",
        );
    };
    let Some(connection) = connections.get(asked.name()) else {
        return unknown(connections);
    };
    match (&asked, request.method()) {
        (Asked::Credential(_), &Method::GET | &Method::HEAD) => credential(&**connection).await,
        (Asked::Credential(_), _) => not_this_method("GET, HEAD"),
        (Asked::Rejected(_), &Method::POST) => match rejected::generation(request.into_body()).await {
            Ok(generation) => {
                connection.reject(generation);
                answer::empty(StatusCode::NO_CONTENT)
            }
            Err(refusal) => *refusal,
        },
        (Asked::Rejected(_), _) => not_this_method("POST"),
    }
}

async fn credential(connection: &dyn Connection) -> Response<Body> {
    match connection.ready(PATIENCE).await {
        Ok(credential) => record::answer(&credential),
        Err(reason) => answer::unavailable(&reason),
    }
}

/// What was asked for is not repeated: it may be anything.
fn unknown(connections: &Connections) -> Response<Body> {
    let names: Vec<_> = connections.keys().map(String::as_str).collect();
    let known = format!("no connection of this name is served here; there are: {}", names.join(", "));
    answer::error(StatusCode::NOT_FOUND, "endpoint-connection", &known)
}

fn not_this_method(allowed: &'static str) -> Response<Body> {
    let message = format!("this address takes {allowed}");
    let mut response = answer::error(StatusCode::METHOD_NOT_ALLOWED, "endpoint-method", &message);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
