//! The sandbox with the gateway in front of it.

use bytes::Bytes;
use http::Request;
use keyless_sandbox::{Options, RequestRecord, Sandbox, ServiceName};

use crate::client::{self, Answer};
use crate::network::Network;
use crate::server::{Given, Instances, Server};

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) server: Server,
    pub(crate) network: Network,
}

impl World {
    pub(crate) async fn start(instances: Instances) -> Self {
        Self::with(instances, &[]).await
    }

    /// With these variables beside the document.
    pub(crate) async fn with(instances: Instances, more: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let network = Network::trusting(Some(sandbox.ca_pem()));
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let document = ("KEYLESS_CONNECTION".to_owned(), sandbox.documents().native);
        let given = Given {
            environment: std::iter::once(document).chain(more).collect(),
            directory: sandbox.token_path().parent().map(Into::into),
            network: network.clone(),
        };
        Self { server: Server::start(given, instances).await, sandbox, network }
    }

    pub(crate) async fn ask(&self, request: Request<Bytes>) -> Answer {
        client::ask(self.server.address, request).await
    }

    /// What the API was asked, oldest first.
    pub(crate) fn calls(&self) -> Vec<RequestRecord> {
        self.sandbox.requests(ServiceName::Upstream)
    }

    /// The digest of the credential with which the API was asked last.
    pub(crate) fn last_credential(&self) -> String {
        let calls = self.calls();
        calls
            .last()
            .and_then(|call| call.header("authorization"))
            .expect("a call with a credential")
            .to_owned()
    }

    pub(crate) fn exchanges(&self) -> u64 {
        self.sandbox.counters(ServiceName::Exchange).requests
    }
}
