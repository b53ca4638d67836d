//! The finished component in wasmtime, called without anything between: what a host in another language pays at least.

use keyless_artifact::CREDENTIAL_PROVIDER;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::engine::{DOCUMENT, static_document};
use crate::measure::median;

wasmtime::component::bindgen!({
    inline: "
        package keyless:bench;
        world provider {
            export keyless:credentials/credential-provider@0.1.0;
        }
    ",
    path: "../wit",
    world: "keyless:bench/provider",
});

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// An instance that may look at the clock and do nothing else.
fn instance() -> (Store<State>, Provider) {
    let mut config = Config::new();
    config.concurrency_support(false);
    let engine = Engine::new(&config).expect("an engine");
    let component = Component::new(&engine, CREDENTIAL_PROVIDER).expect("a component");
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("WASI");
    linker.define_unknown_imports_as_traps(&component).expect("the rest");
    let state = State { wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
    let mut store = Store::new(&engine, state);
    let provider = Provider::instantiate(&mut store, &component, &linker).expect("an instance");
    (store, provider)
}

pub(crate) fn cached_credential() -> f64 {
    let (mut store, provider) = instance();
    let connections = provider.keyless_credentials_credential_provider().connection();
    let connection = connections
        .call_open(&mut store, &static_document(), &[])
        .expect("no trap")
        .expect("a valid document");
    median(|| {
        connections.call_credential(&mut store, connection).expect("no trap").expect("a key is always there")
    })
}

pub(crate) fn open() -> f64 {
    let (mut store, provider) = instance();
    let connections = provider.keyless_credentials_credential_provider().connection();
    median(|| {
        let connection =
            connections.call_open(&mut store, DOCUMENT, &[]).expect("no trap").expect("a valid document");
        connection.resource_drop(&mut store).expect("no trap");
    })
}
