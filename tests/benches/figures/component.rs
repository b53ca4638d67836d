//! The finished component in wasmtime, called without anything between: what a host in another language pays at least.

use keyless_artifact::CREDENTIAL_PROVIDER;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

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
    http: WasiHttpCtx,
    nowhere: Nowhere,
    table: ResourceTable,
}

/// Nothing is sent here: the credential is held.
struct Nowhere;

type Sent = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Nowhere {
    fn send_request(
        &mut self,
        _: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Sent,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Sent), Error>> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.nowhere, table: &mut self.table, ctx: &mut self.http }
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
    wasmtime_wasi_http::p2::add_only_http_to_linker_sync(&mut linker).expect("HTTP");
    let state = State {
        wasi: WasiCtx::builder().build(),
        http: WasiHttpCtx::new(),
        nowhere: Nowhere,
        table: ResourceTable::new(),
    };
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
