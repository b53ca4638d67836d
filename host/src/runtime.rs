//! What all connections of a process share: one engine, one prepared component, one HTTP sender.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::builder::Builder;
use crate::clock::Clocks;
use crate::compiled::Compiler;
use crate::component::{ComponentInfo, Loaded, Prepared};
use crate::connection::Connection;
use crate::instance::{Access, Instance};
use crate::limits::{Limits, Ticker};
use crate::sender::Sender;
use crate::shared::House;
use crate::{Account, Error, Grant, Plan, Prune, Variables, source};

/// One engine, one prepared component and one HTTP sender, shared by any number of connections. Cheap to clone.
///
/// All `async` functions of this crate must be awaited on a tokio runtime with time and I/O enabled.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) pre: Prepared,
    /// None: `pre` is a component of the caller's, and has to do for every document.
    pub(crate) with_source: Option<OnceLock<Result<Prepared, Error>>>,
    pub(crate) info: ComponentInfo,
    pub(crate) compiler: Compiler,
    pub(crate) ticker: Ticker,
    pub(crate) sender: Arc<dyn Sender>,
    pub(crate) clocks: Arc<dyn Clocks>,
    pub(crate) root: Option<PathBuf>,
    pub(crate) limits: Limits,
    /// None: each connection has an instance of its own.
    pub(crate) house: Option<House>,
}

impl Inner {
    /// The provider that can ask another component for identity tokens. Compiled when a document first needs it, which
    /// blocks for as long as that takes.
    pub(crate) fn with_source(&self) -> Result<&Prepared, Error> {
        let Some(cell) = &self.with_source else { return Ok(&self.pre) };
        let compile = || {
            Loaded::new(&self.compiler, keyless_artifact::CREDENTIAL_PROVIDER_WITH_SOURCE)
                .map(|loaded| loaded.pre)
        };
        cell.get_or_init(compile).as_ref().map_err(Clone::clone)
    }
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
    /// document needs more than is granted; `source-component-...` when the component of the source `custom` is not what it
    /// must be; `grant-endpoint-invalid` or `grant-endpoint-insecure` when the grant holds
    /// what can never be allowed; `runtime-missing` outside a tokio runtime.
    pub async fn open(
        &self,
        document: &str,
        variables: Variables,
        grant: Grant,
    ) -> Result<Connection, Error> {
        Connection::open(Arc::clone(&self.0), document, variables, &grant).await
    }

    /// The service accounts that connections with minted keys made in the document's project, by the mark in their names,
    /// after deleting those that `prune` says. Makes no key.
    ///
    /// # Errors
    /// As [`open`](Self::open); `field-value` for a document that makes no keys; those of the Admin API.
    pub async fn accounts(
        &self,
        document: &str,
        variables: &Variables,
        grant: &Grant,
        prune: Prune,
    ) -> Result<Vec<Account>, Error> {
        grant.covers(&self.plan(document, variables).await?.requirements)?;
        let access = Access::new(&self.0, grant)?;
        let mut instance = Instance::new(&self.0, &access, None).await?;
        let connection = instance.open(document, variables).await?;
        Ok(instance.accounts(connection, prune).await?)
    }

    /// The grant, with the component that gives identity tokens (the source `custom`) pinned to what its file holds now:
    /// for a lock file. Reads that file and no other; without such a source it does nothing.
    ///
    /// # Errors
    /// `source-component-unreadable` ([`ErrorKind::Invalid`](crate::ErrorKind::Invalid));
    /// `source-component-changed` ([`ErrorKind::Denied`](crate::ErrorKind::Denied)) when it is pinned to another.
    pub async fn pin(&self, grant: Grant) -> Result<Grant, Error> {
        let Some(granted) = grant.source_component().cloned() else { return Ok(grant) };
        let root = self.0.root.clone();
        let path = granted.path().to_owned();
        let file = blocking(move || source::read(&path, root.as_deref())).await?;
        if let Some(sha256) = granted.sha256() {
            source::same(granted.path(), sha256, &file.sha256)?;
        }
        Ok(grant.source(granted.pinned(file.sha256)))
    }

    /// An instance that may do nothing: `variables` and `plan` are pure by contract, and this makes sure of it.
    async fn pure_instance(&self) -> Result<Instance, Error> {
        let access = Access::new(&self.0, &Grant::none())?;
        Instance::new(&self.0, &access, None).await.map_err(Error::from)
    }
}

/// Work that takes a while, beside the event loop.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Error::closed()))
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("component", &self.0.info).finish_non_exhaustive()
    }
}
