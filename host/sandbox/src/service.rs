//! The list of parties that a sandbox plays. To add one: write its file, name it here, and add its line to `roster`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use ring::error::Unspecified;
use serde::{Deserialize, Serialize};

use crate::anthropic::Anthropic;
use crate::aws::container::Container;
use crate::aws::instance::Instance;
use crate::aws::sts::Sts;
use crate::body::Body;
use crate::exchange::Exchange;
use crate::exchange::x509::MutualTls;
use crate::issuer::Issuer;
use crate::oauth::Endpoint;
use crate::oauth::entra::Entra;
use crate::oauth::google::Google;
use crate::oauth::openrouter::OpenRouter;
use crate::platform::azure::Azure;
use crate::platform::gcp::Gcp;
use crate::platform::github::Github;
use crate::upstream::Upstream;
use crate::world::World;

/// A party of the outside world. Each has a port of its own, its own counters and its own faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceName {
    /// The cluster: an OpenID Connect issuer of service account tokens.
    Issuer,
    /// The vendor's token endpoint, `POST /oauth/token`.
    Exchange,
    /// The vendor's API, `/v1/...`, with its Admin API, `/v1/organization/...`.
    Upstream,
    /// Azure's two ways to a managed identity: the instance metadata service, and the endpoint inside App Service. Plain.
    Azure,
    /// Google's metadata server. Plain.
    Gcp,
    /// Anthropic's token endpoint and API, `/v1/...`.
    Anthropic,
    /// The token service of GitHub Actions. Plain here, which the real one is not.
    Github,
    /// AWS's token service, for one region.
    AwsSts,
    /// The metadata service of an EC2 instance. Plain.
    AwsInstance,
    /// Where a container on ECS or EKS finds its keys. Plain.
    AwsContainer,
    /// OpenRouter's token endpoint.
    #[serde(rename = "openrouter")]
    OpenRouter,
    /// Google's token service.
    GoogleSts,
    /// Microsoft's token endpoint.
    Entra,
    /// The vendor's token endpoint for client certificates.
    MutualTls,
}

impl ServiceName {
    /// Every party.
    pub const ALL: [Self; 14] = [
        Self::Issuer,
        Self::Exchange,
        Self::Upstream,
        Self::Anthropic,
        Self::Azure,
        Self::Gcp,
        Self::Github,
        Self::AwsSts,
        Self::AwsInstance,
        Self::AwsContainer,
        Self::OpenRouter,
        Self::GoogleSts,
        Self::Entra,
        Self::MutualTls,
    ];

    /// As it is spelt on the admin endpoint: `issuer`, `exchange`, `upstream` and so on.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Exchange => "exchange",
            Self::Upstream => "upstream",
            Self::Anthropic => "anthropic",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
            Self::Github => "github",
            Self::AwsSts => "aws_sts",
            Self::AwsInstance => "aws_instance",
            Self::AwsContainer => "aws_container",
            Self::OpenRouter => "openrouter",
            Self::GoogleSts => "google_sts",
            Self::Entra => "entra",
            Self::MutualTls => "mutual_tls",
        }
    }

    /// Whether it speaks TLS. What a platform serves on a link-local address, it serves in plain HTTP.
    #[must_use]
    pub fn encrypted(self) -> bool {
        !matches!(self, Self::Azure | Self::Gcp | Self::Github | Self::AwsInstance | Self::AwsContainer)
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A party under its name.
pub(crate) type Named = (ServiceName, Arc<dyn Service>);

/// Who answers under which name.
pub(crate) fn roster(world: &Arc<World>) -> Result<Vec<Named>, Unspecified> {
    Ok(vec![
        (ServiceName::Issuer, Arc::new(Issuer::new(world))),
        (ServiceName::Exchange, Arc::new(Exchange::new(world))),
        (ServiceName::Upstream, Arc::new(Upstream::new(world))),
        (ServiceName::Anthropic, Arc::new(Anthropic::new(world))),
        (ServiceName::Azure, Arc::new(Azure::new(world))),
        (ServiceName::Gcp, Arc::new(Gcp::new(world))),
        (ServiceName::Github, Arc::new(Github::new(world))),
        (ServiceName::AwsSts, Arc::new(Sts::new(world))),
        (ServiceName::AwsInstance, Arc::new(Instance::new(world))),
        (ServiceName::AwsContainer, Arc::new(Container::new(world))),
        (ServiceName::OpenRouter, Arc::new(Endpoint::new(world, OpenRouter)?)),
        (ServiceName::GoogleSts, Arc::new(Endpoint::new(world, Google)?)),
        (ServiceName::Entra, Arc::new(Endpoint::new(world, Entra)?)),
        (ServiceName::MutualTls, Arc::new(MutualTls::new(world))),
    ])
}

/// Answers complete requests. What is the same for all (TLS, limits, records, faults) is done before and after, in `front`.
pub(crate) trait Service: Send + Sync + 'static {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_>;
}

/// An answer under way.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Response<Body>> + Send + 'a>>;
