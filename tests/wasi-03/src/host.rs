//! The smallest host for the component: wasmtime's WASI 0.3, one instance, and a grant made from the plan.

use std::future::poll_fn;
use std::sync::LazyLock;

use keyless_sandbox::Sandbox;
use wasmtime::component::{Accessor, Component, HasSelf, Linker, ResourceAny, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p3::bindings as wasi;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::p3::bindings::http;
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings::{self, ConnectionPlan, Credential, Error, Provider, ProviderPre, Status};
use crate::clocks::Clocks;
use crate::gate::Gate;
use crate::grant::Grant;

/// Compiled once for all tests.
static PREPARED: LazyLock<ProviderPre<State>> = LazyLock::new(|| {
    let component = Component::from_binary(&ENGINE, keyless_provider_async::CREDENTIAL_PROVIDER_ASYNC);
    ProviderPre::new(linker().instantiate_pre(&component.unwrap()).unwrap()).unwrap()
});

pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    Engine::new(&config).unwrap()
});

/// Interface by interface, as the world lists them.
pub(crate) fn linker() -> Linker<State> {
    let mut linker = Linker::new(&ENGINE);
    let l = &mut linker;
    wasi::clocks::types::add_to_linker::<_, WasiClocks>(l, State::clocks).unwrap();
    wasi::clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, State::clocks).unwrap();
    wasi::clocks::system_clock::add_to_linker::<_, WasiClocks>(l, State::clocks).unwrap();
    wasi::filesystem::types::add_to_linker::<_, WasiFilesystem>(l, State::filesystem).unwrap();
    wasi::filesystem::preopens::add_to_linker::<_, WasiFilesystem>(l, State::filesystem).unwrap();
    http::types::add_to_linker::<_, WasiHttp>(l, State::http).unwrap();
    http::client::add_to_linker::<_, WasiHttp>(l, State::http).unwrap();
    bindings::keyless::credentials::types::add_to_linker::<_, HasSelf<_>>(l, |state| state).unwrap();
    linker
}

/// What host functions see.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    gate: Gate,
    table: ResourceTable,
}

impl State {
    pub(crate) fn new(grant: Grant, sandbox: &Sandbox, clocks: &Clocks) -> Self {
        let mut wasi = WasiCtxBuilder::new();
        wasi.wall_clock(clocks.clone()).monotonic_clock(clocks.clone());
        for directory in grant.directories {
            wasi.preopened_dir(&directory, directory.to_str().unwrap(), FsPerms::ReadOnly).unwrap();
        }
        Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            gate: Gate::new(grant.endpoints, grant.elsewhere, sandbox.ca_pem()),
            table: ResourceTable::new(),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.gate, table: &mut self.table, ctx: &mut self.http }
    }
}

impl bindings::keyless::credentials::types::Host for State {}

/// One instance.
pub(crate) struct Host {
    pub(crate) store: Store<State>,
    provider: Provider,
}

impl Host {
    /// With a grant for the sandbox's own documents.
    pub(crate) async fn for_sandbox(sandbox: &Sandbox, clocks: &Clocks) -> Self {
        Self::with(Grant::for_sandbox(sandbox), sandbox, clocks).await
    }

    pub(crate) async fn with(grant: Grant, sandbox: &Sandbox, clocks: &Clocks) -> Self {
        let state = State::new(grant, sandbox, clocks);
        let mut store = Store::new(&ENGINE, state);
        let provider = PREPARED.instantiate_async(&mut store).await.unwrap();
        Self { store, provider }
    }

    /// Turns the store's event loop until `work` is done. What the component has under way beyond that waits for the next time.
    pub(crate) async fn run<T>(&mut self, work: impl AsyncFnOnce(Calls<'_>) -> T) -> T {
        let provider = &self.provider;
        let all = async |accessor: &Accessor<State>| work(Calls { provider, accessor }).await;
        self.store.run_concurrent(all).await.unwrap()
    }
}

/// Calls into the instance, any number at once.
#[derive(Clone, Copy)]
pub(crate) struct Calls<'c> {
    provider: &'c Provider,
    accessor: &'c Accessor<State>,
}

/// Environment variables.
pub(crate) type Pairs = Vec<(String, String)>;

type Guest = bindings::exports::keyless::credentials_async::credential_provider::Guest;

impl<'c> Calls<'c> {
    fn guest(self) -> &'c Guest {
        self.provider.keyless_credentials_async_credential_provider()
    }

    pub(crate) async fn variables(self, document: &str) -> Result<Vec<String>, Error> {
        self.guest().call_variables(self.accessor, document.to_owned()).await.unwrap()
    }

    pub(crate) async fn plan(self, document: &str, variables: &Pairs) -> Result<ConnectionPlan, Error> {
        self.guest().call_plan(self.accessor, document.to_owned(), variables.clone()).await.unwrap()
    }

    pub(crate) async fn open(self, document: &str, variables: &Pairs) -> Result<Connection<'c>, Error> {
        let (guest, document) = (self.guest().connection(), document.to_owned());
        let opened = guest.call_open(self.accessor, document, variables.clone()).await.unwrap();
        opened.map(|resource| Connection { calls: self, resource })
    }

    /// One that was opened before.
    pub(crate) fn connection(self, resource: ResourceAny) -> Connection<'c> {
        Connection { calls: self, resource }
    }

    /// Until no task of the component is left, not even one that has returned.
    pub(crate) async fn idle(self) {
        poll_fn(|context| self.accessor.poll_no_interesting_tasks(context)).await;
    }

    /// Handles that the component holds of the host's resources.
    pub(crate) fn handles(self) -> usize {
        self.accessor.with(|mut access| access.get().table.iter_mut().count())
    }
}

/// An open connection.
#[derive(Clone, Copy)]
pub(crate) struct Connection<'c> {
    calls: Calls<'c>,
    pub(crate) resource: ResourceAny,
}

impl Connection<'_> {
    pub(crate) async fn credential(self) -> Result<Credential, Error> {
        let Self { calls, resource } = self;
        calls.guest().connection().call_credential(calls.accessor, resource).await.unwrap()
    }

    pub(crate) async fn renew(self) -> Result<Credential, Error> {
        let Self { calls, resource } = self;
        calls.guest().connection().call_renew(calls.accessor, resource).await.unwrap()
    }

    pub(crate) async fn reject(self, generation: u64) {
        let Self { calls, resource } = self;
        calls.guest().connection().call_reject(calls.accessor, resource, generation).await.unwrap();
    }

    pub(crate) async fn status(self) -> Status {
        let Self { calls, resource } = self;
        calls.guest().connection().call_status(calls.accessor, resource).await.unwrap()
    }

    pub(crate) async fn close(self) -> Result<(), Error> {
        let Self { calls, resource } = self;
        calls.guest().connection().call_close(calls.accessor, resource).await.unwrap()
    }
}
