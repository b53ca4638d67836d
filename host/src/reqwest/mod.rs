//! A middleware for reqwest that sets the credential on each request and keeps it fresh (feature `reqwest`).
//!
//! ```no_run
//! use std::time::Duration;
//! use keyless::Connection;
//! use keyless::reqwest::Authorize;
//!
//! # async fn example(connection: Connection) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Authorize::new(connection.clone()).client(reqwest::Client::builder())?;
//!
//! let base_url = connection.ready(Duration::from_secs(10)).await?.base_url().to_owned();
//! let models = client.get(format!("{base_url}/models")).send().await?;
//! # Ok(())
//! # }
//! ```
//!
//! What it does with a request:
//!
//! - It waits for the first credential, and for one to follow an expired one, up to [its patience](Authorize::patience).
//! - It sets the credential's headers, if the request is for the credential's base URL or below it. Anything else is refused
//!   with `request-elsewhere`, and nothing is sent.
//! - After a 401 it [rejects](crate::Connection::reject) the credential, waits for the next one, and sends the request once
//!   more. What comes then is the answer, whatever it is. Without a next credential the first 401 is the answer.
//! - A request whose body is a stream, a multipart form among them, is sent once: reqwest cannot give such a body again.
//!   [`Authorize::send`] can, because it makes the request anew.
//!
//! **Redirects** are followed inside a reqwest client, where no middleware sees them. To another origin reqwest takes
//! `authorization` away and leaves headers such as `x-api-key`. [`Authorize::client`] follows none; who puts the middleware
//! on a client of their own gives it [`Policy::none`](::reqwest::redirect::Policy::none), too.

mod middleware;
mod send;

use std::time::Duration;

use ::reqwest::redirect::Policy;
use ::reqwest::{ClientBuilder, Request};
use http::Uri;
use reqwest_middleware::ClientWithMiddleware;

use crate::authorize::{self, Credentials};
use crate::{Connection, Credential, Error};

/// Sets a connection's credential on requests of reqwest. Cheap to clone; all clones use the same connection.
#[derive(Clone)]
pub struct Authorize {
    credentials: Credentials,
}

impl Authorize {
    /// Sets this connection's credential, and waits up to 10 seconds for it.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { credentials: Credentials::new(connection) }
    }

    /// How long a request waits for a credential: the first one, and once more for the one after a 401.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { credentials: self.credentials.with_patience(patience) }
    }

    /// A client that carries the credential and follows no redirect: one is the answer, with its `location`.
    ///
    /// # Errors
    /// Those of [`ClientBuilder::build`].
    pub fn client(self, builder: ClientBuilder) -> Result<ClientWithMiddleware, ::reqwest::Error> {
        let client = builder.redirect(Policy::none()).build()?;
        Ok(reqwest_middleware::ClientBuilder::new(client).with(self).build())
    }
}

/// Sets the credential on a request.
///
/// # Errors
/// `request-elsewhere`.
fn set(credential: &Credential, request: &mut Request) -> Result<(), Error> {
    // What is no URI goes nowhere: reqwest could not send it either.
    let target = request.url().as_str().parse::<Uri>().unwrap_or_default();
    authorize::set(credential, &target, request.headers_mut())
}

impl std::fmt::Debug for Authorize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorize").field("patience", &self.credentials.patience()).finish_non_exhaustive()
    }
}
