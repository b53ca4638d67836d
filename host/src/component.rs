//! The component itself: the built-in bytes, or others; what it is, and that it wants no more than its world.

use serde::Serialize;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, StoreContextMut};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings as wasi;
use wasmtime_wasi_http::p2::bindings::http;
use wasmtime_wasi_http::{WasiHttp, WasiHttpView as _};

use crate::Error;
use crate::bindings::ProviderPre;
use crate::compiled::Compiler;
use crate::instance::State;

/// Linked and type-checked once, instantiated in microseconds.
pub(crate) type Prepared = ProviderPre<State>;

/// What a component is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ComponentInfo {
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// Size of the file, in bytes.
    pub size: u64,
    /// Interfaces that it imports, with versions, sorted. This is its whole authority.
    pub imports: Vec<String>,
    /// Interfaces that it exports, with versions, sorted.
    pub exports: Vec<String>,
}

pub(crate) struct Loaded {
    pub(crate) pre: Prepared,
    pub(crate) info: ComponentInfo,
}

impl Loaded {
    /// Compiles the component, or takes compiled code from where it is kept.
    ///
    /// # Errors
    /// `component-invalid`, `component-import-denied`.
    pub(crate) fn new(compiler: &Compiler, bytes: &[u8]) -> Result<Self, Error> {
        let started = std::time::Instant::now();
        let (engine, sha256) = (compiler.engine(), crate::source::digest(bytes));
        let component = compiler.component(bytes, &sha256).map_err(|e| {
            Error::invalid(
                "component-invalid",
                format!(
                    "{} bytes that are no WebAssembly component: {}; use a component that exports \
                    keyless:credentials/credential-provider",
                    bytes.len(),
                    one_line(&e)
                ),
            )
        })?;
        let info = describe(engine, &component, bytes, sha256);
        refuse_other_imports(&info)?;
        let linked = linker(engine).and_then(|linker| linker.instantiate_pre(&component));
        let pre = linked.and_then(ProviderPre::new).map_err(|e| {
            Error::invalid(
                "component-invalid",
                format!(
                    "the component is not a credential provider: {}; use one that was built for the world `provider` of \
                     keyless:credentials@0.1.0",
                    one_line(&e)
                ),
            )
        })?;
        tracing::debug!(
            sha256 = info.sha256,
            size = info.size,
            elapsed_ms = crate::clock::millis(started.elapsed()),
            "component loaded"
        );
        Ok(Self { pre, info })
    }
}

/// The one import by which the world `provider-with-source` differs from `provider`.
const SOURCE: &str = "keyless:credentials/subject-token-source";

/// The interfaces of the worlds and what they are made of. Anything else is more than the world allows.
const WORLD: [&str; 11] = [
    SOURCE,
    "keyless:credentials/types",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];

fn refuse_other_imports(info: &ComponentInfo) -> Result<(), Error> {
    let beyond: Vec<_> = info
        .imports
        .iter()
        .filter(|import| {
            let name = import.split_once('@').map_or(import.as_str(), |(name, _)| name);
            !WORLD.contains(&name)
        })
        .map(String::as_str)
        .collect();
    if beyond.is_empty() {
        return Ok(());
    }
    Err(Error::denied(
        "component-import-denied",
        format!(
            "the component imports {}, which no credential provider may have; use one that keeps to the world `provider`",
            beyond.join(", ")
        ),
    ))
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = wasi_linker(engine)?;
    crate::bindings::keyless::credentials::types::add_to_linker::<State, HasSelf<State>>(
        &mut linker,
        |state| state,
    )?;
    // Only who imports it notices. A document without such a source does not lead there.
    linker.instance(&format!("{SOURCE}@0.1.0"))?.func_wrap_async("token", ask_source)?;
    Ok(linker)
}

type Asking<'a> = Box<dyn Future<Output = wasmtime::Result<(Result<String, String>,)>> + Send + 'a>;

/// The provider's question, answered by the component that its store was made with.
fn ask_source(store: StoreContextMut<'_, State>, (audience,): (Option<String>,)) -> Asking<'_> {
    let source = store.data().source();
    Box::new(async move {
        let answer = match source {
            Some(source) => source.token(audience.as_deref()).await,
            None => Err("the host has loaded none".to_owned()),
        };
        Ok((answer,))
    })
}

/// What both kinds of component may have, interface by interface: with all of WASI in the linker, the list of names would
/// be the only guard.
pub(crate) fn wasi_linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::<State>::new(engine);
    let l = &mut linker;
    wasi::clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    wasi::clocks::wall_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    wasi::filesystem::preopens::add_to_linker::<State, WasiFilesystem>(l, State::filesystem)?;
    wasi::filesystem::types::add_to_linker::<State, WasiFilesystem>(l, State::filesystem)?;
    wasi::io::error::add_to_linker::<State, HasTable>(l, |state| state.ctx().table)?;
    wasi::io::poll::add_to_linker::<State, HasTable>(l, |state| state.ctx().table)?;
    wasi::io::streams::add_to_linker::<State, HasTable>(l, |state| state.ctx().table)?;
    http::outgoing_handler::add_to_linker::<State, WasiHttp>(l, State::http)?;
    http::types::add_to_linker::<State, WasiHttp>(l, &http::types::LinkOptions::default(), State::http)?;
    Ok(linker)
}

/// The host's resources, for the interfaces that need nothing else.
struct HasTable;

impl wasmtime::component::HasData for HasTable {
    type Data<'a> = &'a mut wasmtime::component::ResourceTable;
}

fn describe(engine: &Engine, component: &Component, bytes: &[u8], sha256: String) -> ComponentInfo {
    let kind = component.component_type();
    let mut imports: Vec<_> = kind.imports(engine).map(|(name, _)| name.to_owned()).collect();
    let mut exports: Vec<_> = kind.exports(engine).map(|(name, _)| name.to_owned()).collect();
    imports.sort_unstable();
    exports.sort_unstable();
    ComponentInfo { sha256, size: bytes.len() as u64, imports, exports }
}

/// The chain of causes, outermost first: wasmtime says what it did, then what went wrong.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ").replace('\n', " ")
}
