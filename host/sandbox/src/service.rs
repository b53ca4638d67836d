//! The list of parties that a sandbox plays. To add one: write its file, name it here, and add its line to `roster`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use serde::{Deserialize, Serialize};

use crate::body::Body;
use crate::exchange::Exchange;
use crate::issuer::Issuer;
use crate::upstream::Upstream;
use crate::world::World;

/// A party of the outside world. Each has a TLS port of its own, its own counters and its own faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceName {
    /// The cluster: an OpenID Connect issuer of service account tokens.
    Issuer,
    /// The vendor's token endpoint, `POST /oauth/token`.
    Exchange,
    /// The vendor's API, `/v1/...`.
    Upstream,
}

impl ServiceName {
    /// Every party.
    pub const ALL: [Self; 3] = [Self::Issuer, Self::Exchange, Self::Upstream];

    /// As it is spelt on the admin endpoint: `issuer`, `exchange`, `upstream`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Exchange => "exchange",
            Self::Upstream => "upstream",
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who answers under which name.
pub(crate) fn roster(world: &Arc<World>) -> Vec<(ServiceName, Arc<dyn Service>)> {
    vec![
        (ServiceName::Issuer, Arc::new(Issuer::new(world))),
        (ServiceName::Exchange, Arc::new(Exchange::new(world))),
        (ServiceName::Upstream, Arc::new(Upstream::new(world))),
    ]
}

/// Answers complete requests. What is the same for all (TLS, limits, records, faults) is done before and after, in `front`.
pub(crate) trait Service: Send + Sync + 'static {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_>;
}

/// An answer under way.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Response<Body>> + Send + 'a>>;
