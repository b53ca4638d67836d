//! Assembling a [`Runtime`]: everything optional, all errors in `build`.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::Error;
use crate::cache::Cache;
use crate::clock::{Clocks, SystemClocks};
use crate::compiled::Compiler;
use crate::component::Loaded;
use crate::limits::{Limits, Ticker};
use crate::runtime::{Inner, Runtime};
use crate::sender::{ConnectTo, Network, Sender};
use crate::shared::House;

/// Builds a [`Runtime`]. Every setting has a default that is right in production.
#[must_use]
pub struct Builder {
    component: Option<Vec<u8>>,
    cache: Cache,
    ca_certificates: Vec<Vec<u8>>,
    connect_to: Vec<ConnectTo>,
    root: Option<PathBuf>,
    clocks: Arc<dyn Clocks>,
    sender: Option<Arc<dyn Sender>>,
    limits: Limits,
    connections_per_instance: usize,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            component: None,
            cache: Cache::Default,
            ca_certificates: Vec::new(),
            connect_to: Vec::new(),
            root: None,
            clocks: Arc::new(SystemClocks::default()),
            sender: None,
            limits: Limits::default(),
            connections_per_instance: 1,
        }
    }

    /// Runs another component than the built-in ones. It must export what `wit/provider.wit` says and import no more than the
    /// world `provider`; or than `provider-with-source`, for documents with the source `custom`.
    pub fn component(mut self, bytes: Vec<u8>) -> Self {
        self.component = Some(bytes);
        self
    }

    /// Where compiled code is kept, so that only the first start pays for compiling.
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = cache;
        self
    }

    /// Trusts the certificates of a PEM file beside the platform's roots. May be called several times.
    pub fn ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificates.push(pem.into());
        self
    }

    /// Dials another address than the name says. May be called several times; the first rule that matches counts.
    pub fn connect_to(mut self, rule: ConnectTo) -> Self {
        self.connect_to.push(rule);
        self
    }

    /// Looks up token files below this directory instead of `/`. For tests and unpacked images.
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// Reads the time elsewhere. For tests.
    pub fn clocks(mut self, clocks: impl Clocks) -> Self {
        self.clocks = Arc::new(clocks);
        self
    }

    /// Sends requests in another way. For tests, and for programs with a network of their own; then `ca_certificates` and
    /// `connect_to` are without effect. The grant is enforced before the sender is asked.
    pub fn sender(mut self, sender: impl Sender) -> Self {
        self.sender = Some(Arc::new(sender));
        self
    }

    /// Bounds what a component instance may use.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets so many connections share a component instance, for programs with thousands of them: an instance takes some
    /// 80 KiB, a further connection in it some 8 KiB. The default is 1: a sandbox for each connection.
    ///
    /// The grant of each is enforced as ever, by the host. But what keeps the secrets of those in one instance apart is no
    /// longer a sandbox, only the component's own code; when one of them makes it trap, all of them open anew; and they are
    /// renewed one at a time, so that an endpoint that does not answer delays the others. So: for connections of one owner. A
    /// document with the source `custom` has an instance of its own in any case.
    pub fn connections_per_instance(mut self, count: usize) -> Self {
        self.connections_per_instance = count;
        self
    }

    /// Loads and compiles the component (some tenths of a second, half a millisecond when cached). Blocks for that long; does no
    /// network I/O.
    ///
    /// # Errors
    /// `ca-certificates-invalid`, `component-invalid` ([`ErrorKind::Invalid`](crate::ErrorKind::Invalid));
    /// `component-import-denied` ([`ErrorKind::Denied`](crate::ErrorKind::Denied)) naming what the component wants
    /// beyond its world; `runtime-engine` when this machine cannot run compiled WebAssembly.
    pub fn build(self) -> Result<Runtime, Error> {
        let sender = match self.sender {
            Some(sender) => sender,
            None => Arc::new(Network::new(&self.ca_certificates, self.connect_to)?),
        };
        let compiler = Compiler::new(&self.cache, &self.limits)?;
        let bytes = self.component.as_deref().unwrap_or(keyless_artifact::CREDENTIAL_PROVIDER);
        let Loaded { pre, info } = Loaded::new(&compiler, bytes)?;
        Ok(Runtime::new(Inner {
            ticker: Ticker::new(compiler.engine().clone()),
            compiler,
            pre,
            with_source: self.component.is_none().then(OnceLock::new),
            info,
            sender,
            clocks: self.clocks,
            root: self.root,
            limits: self.limits,
            house: (self.connections_per_instance > 1).then(|| House::new(self.connections_per_instance)),
        }))
    }
}
