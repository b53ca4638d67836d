//! The sender of production: a small pool of connections, HTTP/1.1 and HTTP/2.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body_util::{Full, LengthLimitError};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::dial::{Dial, Stream};
use super::gate::{collect, in_time};
use super::tls::Trust;
use super::{Body, ClientIdentity, ConnectTo, Fault, Patience, RESPONSE_LIMIT, Sender, Sending};
use crate::Error;

/// Long enough for the requests of one exchange, short enough to hold no connection between renewals.
const IDLE: Duration = Duration::from_secs(30);
const IDLE_PER_HOST: usize = 2;

/// The largest head of an answer, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;

/// Sends over the network: the default. Public, so that a [`Sender`] that records or counts can be put around it.
///
/// Follows no redirect, decompresses nothing, uses no proxy. TLS 1.2 and 1.3, trusting the platform's roots and the
/// certificates given; HTTP/2 where the server offers it. Names are looked up by the platform. Plain `http` goes to loopback
/// and the known cloud metadata addresses only, whatever a name resolves to.
pub struct Network {
    client: Client<Dial, Full<Bytes>>,
    /// For those who ask for a shorter time to connect. The same settings otherwise.
    impatient: Client<Dial, Full<Bytes>>,
    /// For those who present a certificate: with it a client is made for the one request, so that no connection outlives a
    /// certificate that was replaced, nor serves somebody else's request. And for those who only want to know the way.
    pub(super) dial: Dial,
}

/// The two times that a connection may take. See `deadline`.
const CONNECT: Duration = Duration::from_secs(5);
const CONNECT_IMPATIENT: Duration = Duration::from_secs(1);

impl Network {
    /// `ca_certificates` are PEM files to trust beside the platform's roots; of `rules`, the first that matches counts.
    ///
    /// # Errors
    /// `ca-certificates-invalid` for a PEM file without a certificate, or with a broken one.
    pub fn new(ca_certificates: &[Vec<u8>], rules: Vec<ConnectTo>) -> Result<Self, Error> {
        let (trust, rules) = (Arc::new(Trust::new(ca_certificates)?), rules.into());
        let dial = |timeout| Dial::new(Arc::clone(&trust), Arc::clone(&rules), timeout);
        Ok(Self {
            client: client(dial(CONNECT), IDLE_PER_HOST),
            impatient: client(dial(CONNECT_IMPATIENT), IDLE_PER_HOST),
            dial: dial(CONNECT),
        })
    }
}

impl Network {
    /// Makes a connection to the host of an absolute URI, for programs that speak HTTP themselves. With `http1_only`, HTTP/2 is
    /// not offered. A certificate to present goes over HTTP/1.1 in any case.
    ///
    /// # Errors
    /// Why there is none. Plain `http` to anything but loopback and the known metadata addresses is [`Fault::Denied`].
    pub async fn connect(
        &self,
        uri: &Uri,
        http1_only: bool,
        identity: Option<ClientIdentity>,
    ) -> Result<Stream, Fault> {
        let dial = if http1_only { self.dial.http1_only() } else { self.dial.clone() };
        let dial = identity.into_iter().fold(dial, |dial, identity| dial.presenting(identity));
        dial.connect(uri.clone()).await
    }
}

fn client(dial: Dial, idle: usize) -> Client<Dial, Full<Bytes>> {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(idle)
        .http1_max_buf_size(HEAD_LIMIT)
        .http2_max_header_list_size(u32::try_from(HEAD_LIMIT).unwrap_or(u32::MAX))
        .build(dial)
}

impl Sender for Network {
    fn send(&self, request: http::Request<Body>, patience: Patience) -> Sending {
        let start = tokio::time::Instant::now();
        let presenting = request.extensions().get::<ClientIdentity>();
        let presenting = presenting.map(|identity| client(self.dial.presenting(identity.clone()), 0));
        let client = match &presenting {
            Some(client) => client,
            None if patience.connect > CONNECT_IMPATIENT => &self.client,
            None => &self.impatient,
        };
        let sending = client.request(request.map(|body| Full::new(body.into_bytes())));
        Box::pin(async move {
            let head = async { sending.await.map_err(|e| Fault::from_chain(&e)) };
            let response = in_time(start, patience, Fault::ResponseTimeout, head).await?;
            let (parts, body) = response.into_parts();
            let body = async {
                collect(body, RESPONSE_LIMIT).await.map_err(|error| {
                    if error.is::<LengthLimitError>() { Fault::TooLarge } else { Fault::from_chain(&*error) }
                })
            };
            let body = in_time(start, patience, Fault::BodyTimeout, body).await?;
            Ok(http::Response::from_parts(parts, body))
        })
    }
}
