//! A server that answers with the component, as `wasmtime serve` does: with an instance for each request, or with one for
//! all of them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use keyless_http_gateway::HTTP_GATEWAY;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{FsPerms, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::network::Network;

/// How long an instance lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Instances {
    /// As `wasmtime serve` has it unless it is told otherwise.
    OnePerRequest,
    /// As jco has it, and `wasmtime serve --max-instance-reuse-count`.
    One,
}

/// What the component is given.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) environment: Vec<(String, String)>,
    /// Opened under its own name, to be read only.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) network: Network,
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    given: Given,
    clock: Clock,
    instances: Instances,
    /// The one that is used again.
    kept: Arc<Mutex<Kept>>,
}

/// None before the first request.
type Kept = Option<(Store<State>, Proxy)>;

type Answer = Result<http::Response<HyperOutgoingBody>, ErrorCode>;

impl Server {
    pub(crate) async fn start(given: Given, instances: Instances) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, given, clock: Clock::start(), instances, kept: Arc::default() };
        let accepting = server.clone();
        drop(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = accepting.clone();
                let service = service_fn(move |request| {
                    let server = server.clone();
                    async move { server.answer(request).await }
                });
                drop(tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service)));
            }
        }));
        server
    }

    /// As if this time had passed for every instance.
    pub(crate) fn advance_clock(&self, by: Duration) {
        self.clock.ahead_ms.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// As if this time passed on the monotonic clock of every instance between any two looks at it: what waits for a moment
    /// that is so far ahead waits for what is left.
    pub(crate) fn hasten(&self, by: Duration) {
        self.clock.step_ns.store(u64::try_from(by.as_nanos()).unwrap(), Ordering::Relaxed);
    }

    /// How many of the host's resources the kept instance holds, when it is not at work.
    pub(crate) async fn resources(&self) -> usize {
        let mut kept = self.kept.lock().await;
        let (store, _) = kept.as_mut().expect("an instance that is used again");
        store.data_mut().table.iter_mut().count()
    }

    async fn answer(&self, request: hyper::Request<Incoming>) -> Answer {
        let (sender, receiver) = oneshot::channel();
        let server = self.clone();
        // A task of its own: the component goes on after the head of its answer, and for no longer than the answer is wanted.
        let working = tokio::spawn(async move {
            let mut kept = server.instance().await;
            let (store, proxy) = kept.as_mut().expect("made just now");
            let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
            let out = store.data_mut().http().new_response_outparam(sender)?;
            let ended = proxy.wasi_http_incoming_handler().call_handle(&mut *store, request, out).await;
            if ended.is_err() {
                // After a trap an instance must not be used again.
                *kept = None;
            }
            ended
        });
        match receiver.await {
            Ok(answer) => answer,
            Err(_) => panic!("the component gave no answer: {:?}", working.await),
        }
    }

    /// One to work with, alone.
    async fn instance(&self) -> OwnedMutexGuard<Kept> {
        let place = match self.instances {
            Instances::One => Arc::clone(&self.kept),
            Instances::OnePerRequest => Arc::default(),
        };
        let mut place = place.lock_owned().await;
        if place.is_none() {
            let mut store = Store::new(prepared().engine(), State::new(&self.given, self.clock.clone()));
            let proxy = prepared().instantiate_async(&mut store).await.unwrap();
            *place = Some((store, proxy));
        }
        place
    }
}

/// Compiled and linked once for all tests.
fn prepared() -> &'static ProxyPre<State> {
    static PREPARED: OnceLock<ProxyPre<State>> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let mut config = Config::new();
        config.concurrency_support(false);
        let engine = Engine::new(&config).unwrap();
        let component = Component::from_binary(&engine, HTTP_GATEWAY).unwrap();
        let mut linker = Linker::new(&engine);
        // WASI alone, as in every such host.
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).unwrap();
        ProxyPre::new(linker.instantiate_pre(&component).unwrap()).unwrap()
    })
}

struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    network: Network,
    table: ResourceTable,
}

impl State {
    fn new(given: &Given, clock: Clock) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.envs(&given.environment).wall_clock(clock.clone()).monotonic_clock(clock);
        if let Some(directory) = &given.directory {
            wasi.preopened_dir(directory, name(directory), FsPerms::ReadOnly).unwrap();
        }
        Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            network: given.network.clone(),
            table: ResourceTable::new(),
        }
    }
}

fn name(directory: &Path) -> &str {
    directory.to_str().unwrap()
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

/// The machine's clocks, ahead by what a test says.
#[derive(Clone)]
struct Clock {
    started: Instant,
    ahead_ms: Arc<AtomicU64>,
    /// The monotonic one jumps by this each time somebody looks, and has jumped so far in all.
    step_ns: Arc<AtomicU64>,
    jumped_ns: Arc<AtomicU64>,
}

impl Clock {
    fn start() -> Self {
        let (ahead_ms, step_ns, jumped_ns) = Default::default();
        Self { started: Instant::now(), ahead_ms, step_ns, jumped_ns }
    }

    fn ahead(&self) -> Duration {
        Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed))
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + self.ahead()
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        let step = self.step_ns.load(Ordering::Relaxed);
        let jumped = self.jumped_ns.fetch_add(step, Ordering::Relaxed) + step;
        u64::try_from((self.started.elapsed() + self.ahead()).as_nanos()).unwrap() + jumped
    }
}
