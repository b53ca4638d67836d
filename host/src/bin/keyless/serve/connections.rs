//! The connections that are open, by their name. One whose document has not changed stays open when the file does.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::uri::Authority;
use keyless::Runtime;
use keyless::sender::ClientIdentity;
use keyless_gateway::Connections;
use tracing::Instrument as _;

use super::Served;
use crate::cli::Cli;
use crate::document::Document;
use crate::output::problem::Problem;
use crate::session::Session;

/// Connections that are open.
pub(super) struct OpenConnections {
    runtime: Runtime,
    by_name: BTreeMap<String, Arc<Open>>,
}

/// A connection, and the document that it was opened with. Holds a document, so it has no `Debug`.
struct Open {
    document: Document,
    served: Arc<Served>,
    /// Presented to the API, where its plan has a client certificate.
    identity: Option<(Authority, ClientIdentity)>,
}

impl OpenConnections {
    pub(super) fn new(runtime: Runtime) -> Self {
        Self { runtime, by_name: BTreeMap::new() }
    }

    /// These documents, under these names; what is open already under the same name and from the same document is taken
    /// over. Nothing changes here: whoever drops one of the two sets ends what is in that one alone.
    pub(super) async fn with(
        &self,
        cli: &Cli,
        documents: BTreeMap<String, Document>,
    ) -> Result<Self, Problem> {
        let mut by_name = BTreeMap::new();
        for (name, document) in documents {
            let known = self.by_name.get(&name).filter(|known| known.document.says_the_same(&document));
            let open = match known {
                Some(known) => Arc::clone(known),
                None => {
                    // Its task logs under its name from now on.
                    let span = tracing::info_span!("connection", name);
                    let opening = Open::new(cli, self.runtime.clone(), document);
                    Arc::new(opening.instrument(span).await?)
                }
            };
            by_name.insert(name, open);
        }
        Ok(Self { runtime: self.runtime.clone(), by_name })
    }

    /// As the gateway takes them.
    pub(super) fn served(&self) -> Connections {
        let served = |open: &Arc<Open>| Arc::clone(&open.served) as Arc<dyn keyless_gateway::Connection>;
        self.by_name.iter().map(|(name, open)| (name.clone(), served(open))).collect()
    }

    /// The client certificates, and the APIs to which they are presented.
    pub(super) fn identities(&self) -> HashMap<Authority, ClientIdentity> {
        self.by_name.values().filter_map(|open| open.identity.clone()).collect()
    }
}

impl Open {
    async fn new(cli: &Cli, runtime: Runtime, document: Document) -> Result<Self, Problem> {
        let session = Session::understand(cli, runtime, document).await.map_err(|refused| refused.problem)?;
        session.warn();
        let served = Arc::new(Served::new(session.open().await?));
        let identity = session.presents();
        Ok(Self { document: session.document, served, identity })
    }
}
