//! The finished component in wasmtime, in tokio's simulated time: while everything waits, the clock jumps to the next
//! moment at which something happens.
//!
//! Called without generated bindings, as a foreign host would: [`values`] takes the results apart by name.

mod clocks;
pub(crate) mod file;
mod network;
pub(crate) mod values;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use keyless_engine::io::Now;
use tokio::runtime::{Builder, Runtime};
use wasmtime::component::{
    Component, HasData, Instance, InstancePre, Linker, ResourceAny, ResourceTable, Val,
};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings as wasi;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::http;
use wasmtime_wasi_http::{RequestOptions, WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::counts::fuel;
use clocks::{Clocks, Monotonic, Wall};
use keyless_scenarios::hosts::{Host, Maker, Pairs};
use keyless_scenarios::trace::{Credential, Plan, Problem, Status};
use keyless_scenarios::world::World;
use keyless_scenarios::world::disk::{Change, parent};
use network::Network;

const INTERFACE: &str = "keyless:credentials/credential-provider@0.1.0";

pub(crate) const IN_WASMTIME: Maker =
    Maker { name: "component", make: |world| Box::new(InWasmtime::new(world)), plays: |_| true };

pub(crate) struct InWasmtime {
    world: World,
    runtime: Runtime,
    clocks: Clocks,
    store: Store<State>,
    instance: Instance,
    connection: Option<ResourceAny>,
    granted: Vec<String>,
}

/// What host functions see.
struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    network: Network,
    table: ResourceTable,
    world: World,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.network, table: &mut self.table, ctx: &mut self.http }
    }
}

impl InWasmtime {
    pub(crate) fn new(world: World) -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let clocks = runtime.block_on(async { Clocks::start(world.start) });
        let state = State {
            wasi: WasiCtxBuilder::new().build(),
            http: WasiHttpCtx::new(),
            network: Network::new(world.clone(), clocks.clone()),
            table: ResourceTable::new(),
            world: world.clone(),
        };
        let prepared = prepared(world.source().is_some());
        let mut store = fuel::filled(Store::new(prepared.component().engine(), state));
        let instance = runtime.block_on(prepared.instantiate_async(&mut store)).unwrap();
        Self { world, runtime, clocks, store, instance, connection: None, granted: Vec::new() }
    }

    /// WebAssembly instructions so far.
    pub(crate) fn instructions(&self) -> u64 {
        fuel::spent(&self.store)
    }

    /// Calls a function of the interface. Afterwards the outside world gets its chance to act.
    fn call(&mut self, name: &str, parameters: &[Val]) -> Option<Val> {
        self.store.data_mut().wasi = self.directories();
        let interface = self.instance.get_export_index(&mut self.store, None, INTERFACE).unwrap();
        let index = self.instance.get_export_index(&mut self.store, Some(&interface), name);
        let function = self.instance.get_func(&mut self.store, index.expect(name)).unwrap();
        let results = function.ty(&self.store).results().len();
        let mut values = vec![Val::Bool(false); results];
        let Self { runtime, store, .. } = self;
        runtime.block_on(async {
            settle().await;
            function.call_async(&mut *store, parameters, &mut values).await.unwrap();
            settle().await;
        });
        values.pop()
    }

    fn method(&mut self, name: &str, parameters: &[Val]) -> Option<Val> {
        let mut all = vec![Val::Resource(self.connection.expect("an open connection"))];
        all.extend_from_slice(parameters);
        self.call(&format!("[method]connection.{name}"), &all)
    }

    /// The directories of the granted files under their own names, as they are now.
    fn directories(&self) -> WasiCtx {
        let mut context = WasiCtxBuilder::new();
        context
            .wall_clock(Wall(self.clocks.clone()))
            .monotonic_clock(Monotonic(self.clocks.clone()))
            // In this thread: a reading that another thread does takes no simulated time, but real time to notice.
            .allow_blocking_current_thread(true);
        let mut names: Vec<_> = self.granted.iter().map(|file| parent(file)).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            context.preopened_dir(self.world.disk.directory(name), name, FsPerms::ReadOnly).unwrap();
        }
        context.build()
    }
}

impl Host for InWasmtime {
    fn variables(&mut self, document: &str) -> Result<Vec<String>, Problem> {
        let result = self.call("variables", &[Val::String(document.to_owned())]);
        values::result(result).map(|names| values::texts(&names))
    }

    fn plan(&mut self, document: &str, variables: &Pairs) -> Result<Plan, Problem> {
        let result = self.call("plan", &[Val::String(document.to_owned()), values::pairs(variables)]);
        values::result(result).map(|plan| values::plan(&plan))
    }

    fn open(&mut self, document: &str, variables: &Pairs, files: &[String]) -> Result<(), Problem> {
        self.granted = files.to_vec();
        let parameters = [Val::String(document.to_owned()), values::pairs(variables)];
        let result = self.call("[static]connection.open", &parameters);
        let Val::Resource(connection) = values::result(result)? else { panic!("open returned no resource") };
        self.connection = Some(connection);
        Ok(())
    }

    fn credential(&mut self) -> Result<Credential, Problem> {
        let result = self.method("credential", &[]);
        values::result(result).map(|credential| values::credential(&credential))
    }

    fn renew(&mut self) -> Result<Credential, Problem> {
        let result = self.method("renew", &[]);
        values::result(result).map(|credential| values::credential(&credential))
    }

    fn reject(&mut self, generation: u64) {
        self.method("reject", &[Val::U64(generation)]);
    }

    fn status(&mut self) -> Status {
        values::status(&self.method("status", &[]).expect("a status"))
    }

    fn close(&mut self) -> Vec<String> {
        let connection = self.connection.take().expect("an open connection");
        let mut left = Vec::new();
        match self.call("[static]connection.close", &[Val::Resource(connection)]) {
            Some(Val::Result(Ok(None))) => {}
            // It made accounts, and nobody answers any more.
            other if format!("{other:?}").contains("\"accounts-left\"") => {}
            other => left.push(format!("`close` returned {other:?}")),
        }
        // Streams, requests, directories: whatever the component asked for, it has to give back. Options of a request
        // are given away with it, and wasmtime 48 forgets to remove them.
        let table = &mut self.store.data_mut().table;
        let kept = table.iter_mut().filter(|resource| !resource.is::<RequestOptions>()).count();
        if kept > 0 {
            left.push(format!("the component keeps {kept} resources of the host after `close`"));
        }
        left
    }

    fn now(&self) -> Now {
        self.runtime.block_on(async { self.clocks.now() })
    }

    fn pass(&mut self, ms: u64) {
        self.runtime.block_on(async {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            settle().await;
        });
    }

    fn shift_wall(&mut self, ms: i64) {
        self.clocks.shift_wall(ms);
    }

    fn later(&mut self, ms: u64, change: Change) {
        let disk = Arc::clone(&self.world.disk);
        self.runtime.block_on(async {
            let moment = tokio::time::Instant::now() + Duration::from_millis(ms);
            drop(tokio::spawn(async move {
                tokio::time::sleep_until(moment).await;
                disk.apply(&change).unwrap();
            }));
        });
    }
}

/// Lets everything that can go on without time passing go on. Tasks hand one another only a few things per request.
async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// Compiled and linked once for all plays. A scenario that plays a source has the component that can ask one.
fn prepared(with_source: bool) -> &'static InstancePre<State> {
    static PREPARED: [OnceLock<InstancePre<State>>; 2] = [OnceLock::new(), OnceLock::new()];
    PREPARED[usize::from(with_source)].get_or_init(|| {
        let mut config = fuel::counted();
        config.concurrency_support(false);
        let engine = Engine::new(&config).unwrap();
        let bytes = if with_source { file::bytes_with_source() } else { file::bytes() };
        let component = Component::from_binary(&engine, bytes).unwrap();
        let mut linker = linker(&engine).unwrap();
        if with_source {
            link_source(&mut linker).unwrap();
        }
        linker.instantiate_pre(&component).unwrap()
    })
}

/// The source, as the scenario plays it.
fn link_source(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance("keyless:credentials/subject-token-source@0.1.0")?;
    interface.func_wrap("token", |store: StoreContextMut<'_, State>, (audience,): (Option<String>,)| {
        let mut source = store.data().world.source().expect("a scenario with a source");
        Ok((source.token(audience.as_deref()),))
    })
}

/// The interfaces of the world `provider`, and no others.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::<State>::new(engine);
    let l = &mut linker;
    wasi::clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    wasi::clocks::wall_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    wasi::filesystem::preopens::add_to_linker::<State, WasiFilesystem>(l, State::filesystem)?;
    wasi::filesystem::types::add_to_linker::<State, WasiFilesystem>(l, State::filesystem)?;
    wasi::io::error::add_to_linker::<State, HasTable>(l, |state| &mut state.table)?;
    wasi::io::poll::add_to_linker::<State, HasTable>(l, |state| &mut state.table)?;
    wasi::io::streams::add_to_linker::<State, HasTable>(l, |state| &mut state.table)?;
    http::outgoing_handler::add_to_linker::<State, WasiHttp>(l, State::http)?;
    http::types::add_to_linker::<State, WasiHttp>(l, &http::types::LinkOptions::default(), State::http)?;
    Ok(linker)
}

/// The host's resources, for the interfaces that need nothing else.
struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}
