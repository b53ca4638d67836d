//! What all connections of a process share: one engine, one prepared component, one HTTP sender.

use std::path::PathBuf;
use std::sync::Arc;

use crate::builder::Builder;
use crate::clock::Clocks;
use crate::component::{ComponentInfo, Prepared};
use crate::connection::Connection;
use crate::instance::{Access, Instance};
use crate::limits::{Limits, Ticker};
use crate::sender::Sender;
use crate::{Error, Grant, Plan, Variables};

/// One engine, one prepared component and one HTTP sender, shared by any number of connections. Cheap to clone.
///
/// All `async` functions of this crate must be awaited on a tokio runtime with time and I/O enabled.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) pre: Prepared,
    pub(crate) info: ComponentInfo,
    pub(crate) ticker: Ticker,
    pub(crate) sender: Arc<dyn Sender>,
    pub(crate) clocks: Arc<dyn Clocks>,
    pub(crate) root: Option<PathBuf>,
    pub(crate) limits: Limits,
}

impl Runtime {
    /// A runtime to be configured.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// What the component is: digest, size, imports and exports.
    #[must_use]
    pub fn component_info(&self) -> &ComponentInfo {
        &self.0.info
    }

    /// The names of the environment variables that a document reads. No I/O.
    ///
    /// # Errors
    /// Those of the component for a document that is wrong ([`ErrorKind::Invalid`](crate::ErrorKind::Invalid));
    /// `component-trapped` and its like ([`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable)).
    pub async fn variables(&self, document: &str) -> Result<Vec<String>, Error> {
        self.pure_instance().await?.variables(document).await.map_err(Error::from)
    }

    /// The document as it is understood, and all that it needs. No I/O.
    ///
    /// # Errors
    /// As [`variables`](Self::variables).
    pub async fn plan(&self, document: &str, variables: &Variables) -> Result<Plan, Error> {
        self.pure_instance().await?.plan(document, variables).await.map_err(Error::from)
    }

    /// Opens a connection and starts to fetch its first credential in the background. Returns without waiting for it:
    /// use [`Connection::ready`].
    ///
    /// # Errors
    /// As [`variables`](Self::variables); `grant-exceeded` ([`ErrorKind::Denied`](crate::ErrorKind::Denied)) when the
    /// document needs more than is granted; `grant-endpoint-invalid` or `grant-endpoint-insecure` when the grant holds
    /// what can never be allowed; `runtime-missing` outside a tokio runtime.
    pub async fn open(
        &self,
        document: &str,
        variables: Variables,
        grant: Grant,
    ) -> Result<Connection, Error> {
        Connection::open(Arc::clone(&self.0), document, variables, &grant).await
    }

    /// An instance that may do nothing: `variables` and `plan` are pure by contract, and this makes sure of it.
    async fn pure_instance(&self) -> Result<Instance, Error> {
        let access = Access::new(&self.0, &Grant::none())?;
        Instance::new(&self.0, &access).await.map_err(Error::from)
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("component", &self.0.info).finish_non_exhaustive()
    }
}
