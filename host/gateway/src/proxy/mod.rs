//! A reverse proxy that sets the credential.
//!
//! ```text
//! request -> path, route, allow-lists -> credential -> origin's connection -> answer, as it comes
//!                                            ^                                  | 401
//!                                            '---- a newer one, once -----------'
//! ```
//!
//! Nothing is buffered but what a replay needs. HTTP/1.1 and HTTP/2 in, the one that the upstream prefers out. What is
//! ambiguous about a request is refused rather than passed on: another program reads it next.

mod counters;
mod download;
mod forward;
mod headers;
mod limits;
mod model;
mod origin;
mod patience;
mod refusal;
mod route;
mod tunnel;
mod upload;

use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;

pub(crate) use counters::Counters;
use forward::Forward;
use limits::Limits;
use route::Routes;
pub(crate) use route::Upstreams;

use crate::Fault;
use crate::config;
use crate::connection::Connections;
use crate::service::{Answering, Peer, Service};

/// The service of `[proxy.NAME]`.
pub(crate) struct Proxy(Arc<Forward>);

impl Proxy {
    /// # Errors
    /// `serve-config` when a connection that it names is not there.
    pub(crate) fn new(
        config: &config::Proxy,
        connections: &Connections,
        upstreams: &Arc<Upstreams>,
        counters: Arc<Counters>,
    ) -> Result<Self, Fault> {
        let routes = Routes::new(config, connections, upstreams)?;
        Ok(Self(Arc::new(Forward { routes, limits: Limits::default(), counters })))
    }
}

impl Service for Proxy {
    fn call(&self, request: Request<Incoming>, _: &Peer) -> Answering {
        let forward = Arc::clone(&self.0);
        Box::pin(async move { forward.answer(request).await })
    }
}
