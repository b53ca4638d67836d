//! A tower layer that sets the credential on each request and keeps it fresh (feature `tower`).
//!
//! It works around any service that takes [`http::Request`]s, such as hyper-util's client:
//!
//! ```no_run
//! use http_body_util::Full;
//! use hyper_util::client::legacy::Client;
//! use hyper_util::rt::TokioExecutor;
//! use keyless::Connection;
//! use keyless::tower::{AuthorizeLayer, Kept};
//! use tower_layer::Layer as _;
//! use tower_service::Service as _;
//!
//! # async fn example(connection: Connection, request: http::Request<Full<bytes::Bytes>>)
//! # -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let client = Client::builder(TokioExecutor::new()).build_http::<Kept<Full<bytes::Bytes>>>();
//! let mut service = AuthorizeLayer::new(connection).layer(client);
//! std::future::poll_fn(|cx| service.poll_ready(cx)).await?; // or `tower::ServiceExt::oneshot`
//! let response = service.call(request).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What it does with a request:
//!
//! - It waits for the first credential, and for one to follow an expired one, up to [its patience](AuthorizeLayer::patience).
//! - It sets the credential's headers, if the request is for the credential's base URL or below it. Anything else is refused
//!   with `request-elsewhere`, and nothing is sent.
//! - After a 401 it [rejects](crate::Connection::reject) the credential, waits for the next one, and sends the request once
//!   more. What comes then is the answer, whatever it is. Without a next credential the first 401 is the answer.
//! - The request's body passes through as it comes. Up to [a limit](AuthorizeLayer::replay_limit) what has passed is kept, to
//!   be sent again; a request whose body was longer is not sent again. The answer is not touched.
//!
//! Place it below layers that retry or follow redirects, so that every request they make is looked at by itself.
//!
//! Errors are boxed, as is usual with tower; one of Keyless can be told by `downcast_ref::<keyless::Error>()`.

mod kept;
mod service;

use std::time::Duration;

use tower_layer::Layer;

use crate::Connection;
use crate::authorize::Credentials;

pub use kept::Kept;
pub use service::Authorize;

/// Bytes of a request's body that are kept to be sent again, unless the program says otherwise: 1 MiB, which holds a long
/// prompt, and not an upload.
const REPLAY_LIMIT: usize = 1 << 20;

/// Any error, as tower's own layers have it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Makes an [`Authorize`] of a service. Cheap to clone; all clones use the same connection.
#[derive(Clone)]
pub struct AuthorizeLayer {
    credentials: Credentials,
    replay_limit: usize,
}

impl AuthorizeLayer {
    /// Sets this connection's credential: waits up to 10 seconds for it, and keeps up to 1 MiB of a body.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { credentials: Credentials::new(connection), replay_limit: REPLAY_LIMIT }
    }

    /// How long a request waits for a credential: the first one, and once more for the one after a 401.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { credentials: self.credentials.with_patience(patience), ..self }
    }

    /// How many bytes of a request's body are kept while it passes. 0: only a request without a body is sent again.
    #[must_use]
    pub fn replay_limit(self, bytes: usize) -> Self {
        Self { replay_limit: bytes, ..self }
    }
}

impl<S> Layer<S> for AuthorizeLayer {
    type Service = Authorize<S>;

    fn layer(&self, inner: S) -> Authorize<S> {
        Authorize::new(inner, self.clone())
    }
}

impl std::fmt::Debug for AuthorizeLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizeLayer")
            .field("patience", &self.credentials.patience())
            .field("replay_limit", &self.replay_limit)
            .finish_non_exhaustive()
    }
}
