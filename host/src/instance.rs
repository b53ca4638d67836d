//! One component instance, from the outside: plain types in and out, contained failures.
//!
//! A call ends in one of three ways. It succeeds; the component *refuses* (an answer as good as any); or it *breaks*: it
//! trapped, used too much, hung, or the host code that serves it panicked. After a break the instance must not be used
//! again, and its owner makes another one.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use wasmtime::component::{ResourceAny, ResourceTable};
use wasmtime::{Store, StoreLimits, Trap, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings::{self, Provider};
use crate::files::Directories;
use crate::limits::{HOSTCALL_BYTES, RESOURCES, Ticking};
use crate::runtime::Inner;
use crate::sender::{AllowList, ClientIdentity, Gate};
use crate::source::Source;
use crate::{
    Account, ClientCertificate, Endpoint, Error, ErrorKind, Grant, Plan, Prune, Requirements, Setting,
    SourceComponent, Variables, Warning,
};

/// A grant in the form in which it is enforced. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Access(Arc<Reach>);

#[derive(Clone)]
struct Reach {
    gate: Gate,
    directories: Directories,
    environment: Variables,
}

impl Access {
    /// # Errors
    /// `grant-endpoint-invalid`, `grant-endpoint-insecure`.
    pub(crate) fn new(runtime: &Inner, grant: &Grant) -> Result<Self, Error> {
        let root = runtime.root.as_deref();
        let identity = grant.client_certificate().map(|files| ClientIdentity::below(root, files));
        Ok(Self(Arc::new(Reach {
            gate: Gate::new(AllowList::new(grant)?, Arc::clone(&runtime.sender), identity),
            directories: Directories::of(grant.files(), root),
            environment: Variables::new(),
        })))
    }

    /// The granted directories as they are now.
    fn context(&self, runtime: &Inner) -> WasiCtx {
        self.0.directories.context(&runtime.clocks, &self.0.environment)
    }

    /// With those of the variables for the source that are granted, as its environment. A provider is handed its variables
    /// by a call and has none.
    pub(crate) fn with_environment(mut self, variables: &Variables, grant: &Grant) -> Self {
        for name in grant.variables() {
            if let Some(value) = variables.of_source().and_then(|variables| variables.get(name)) {
                Arc::make_mut(&mut self.0).environment.set(name, value);
            }
        }
        self
    }
}

/// How a call failed.
pub(crate) enum CallError {
    /// The component's answer. The instance goes on.
    Refused(Error),
    /// The instance must not be used again.
    Broken(Error),
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(error) | CallError::Broken(error) => error,
        }
    }
}

/// A call that did not come to its end.
pub(crate) struct Broken {
    code: &'static str,
    /// For people; quotes nothing of what the component was working on.
    pub(crate) what: String,
}

impl From<Broken> for CallError {
    fn from(Broken { code, what }: Broken) -> Self {
        Self::Broken(Error::unavailable(
            code,
            format!(
                "{what}; a fresh instance takes its place, and if this repeats, report the component's digest"
            ),
            Duration::from_secs(1),
        ))
    }
}

/// What host functions see.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    gate: Gate,
    table: ResourceTable,
    limits: StoreLimits,
    source: Option<Arc<Source>>,
    /// Ticks in which the current call was found running.
    ticks: u32,
    /// The most that a call may have.
    ticks_allowed: u32,
}

impl State {
    /// The component to ask for identity tokens.
    pub(crate) fn source(&self) -> Option<Arc<Source>> {
        self.source.clone()
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

/// One instance and the connections that it may hold open.
pub(crate) struct Instance {
    runtime: Arc<Inner>,
    /// What the next call may do.
    access: Access,
    store: Store<State>,
    provider: Provider,
}

/// A connection inside an instance.
#[derive(Clone, Copy)]
pub(crate) struct Opened(ResourceAny);

impl Instance {
    /// `source`: the component to ask for identity tokens, for a document that has one.
    ///
    /// # Errors
    /// `component-trapped` and its like.
    pub(crate) async fn new(
        runtime: &Arc<Inner>,
        access: &Access,
        source: Option<&Arc<Source>>,
    ) -> Result<Self, CallError> {
        let mut store = store(runtime, access, source);
        let prepared = match source {
            Some(_) => runtime.with_source().map_err(CallError::Refused)?,
            None => &runtime.pre,
        };
        let ticking = runtime.ticker.tick().map_err(CallError::Broken)?;
        let provider =
            contained(runtime.limits.call, ticking, prepared.instantiate_async(&mut store)).await?;
        Ok(Self { runtime: Arc::clone(runtime), access: access.clone(), store, provider })
    }

    /// Calls from now on may do this, and what the one before might do they may not.
    pub(crate) fn enter(&mut self, access: &Access) {
        self.access = access.clone();
        self.store.data_mut().gate = access.0.gate.clone();
    }

    pub(crate) async fn variables(&mut self, document: &str) -> Result<Vec<String>, CallError> {
        let ticking = self.begin()?;
        let guest = self.provider.keyless_credentials_credential_provider();
        refused(
            contained(self.runtime.limits.call, ticking, guest.call_variables(&mut self.store, document))
                .await?,
        )
    }

    pub(crate) async fn plan(&mut self, document: &str, variables: &Variables) -> Result<Plan, CallError> {
        let ticking = self.begin()?;
        let guest = self.provider.keyless_credentials_credential_provider();
        let call = guest.call_plan(&mut self.store, document, variables.as_pairs());
        refused(contained(self.runtime.limits.call, ticking, call).await?).map(plan)
    }

    pub(crate) async fn open(&mut self, document: &str, variables: &Variables) -> Result<Opened, CallError> {
        let ticking = self.begin()?;
        let guest = self.provider.keyless_credentials_credential_provider();
        let guest = guest.connection();
        let call = guest.call_open(&mut self.store, document, variables.as_pairs());
        refused(contained(self.runtime.limits.call, ticking, call).await?).map(Opened)
    }

    pub(crate) async fn renew(&mut self, connection: Opened) -> Result<bindings::Credential, CallError> {
        let ticking = self.begin()?;
        let guest = self.provider.keyless_credentials_credential_provider();
        let guest = guest.connection();
        let call = guest.call_renew(&mut self.store, connection.0);
        refused(contained(self.runtime.limits.call, ticking, call).await?)
    }

    pub(crate) async fn reject(&mut self, connection: Opened, generation: u64) -> Result<(), CallError> {
        let ticking = self.begin()?;
        let guest = self.provider.keyless_credentials_credential_provider();
        let guest = guest.connection();
        let call = guest.call_reject(&mut self.store, connection.0, generation);
        Ok(contained(self.runtime.limits.call, ticking, call).await?)
    }

    pub(crate) async fn status(&mut self, connection: Opened) -> Result<bindings::Status, CallError> {
        let ticking = self.begin_without_files()?;
        let guest = self.provider.keyless_credentials_credential_provider();
        let guest = guest.connection();
        let call = guest.call_status(&mut self.store, connection.0);
        Ok(contained(self.runtime.limits.call, ticking, call).await?)
    }

    pub(crate) async fn accounts(
        &mut self,
        connection: Opened,
        prune: Prune,
    ) -> Result<Vec<Account>, CallError> {
        let ticking = self.begin()?;
        let guest = self.provider.keyless_credentials_credential_provider();
        let guest = guest.connection();
        let call = guest.call_accounts(&mut self.store, connection.0, prune.into());
        let accounts = refused(contained(self.runtime.limits.call, ticking, call).await?)?;
        Ok(accounts.into_iter().map(Account::from).collect())
    }

    pub(crate) async fn close(&mut self, connection: Opened) -> Result<(), CallError> {
        let ticking = self.begin()?;
        let guest = self.provider.keyless_credentials_credential_provider();
        let guest = guest.connection();
        let call = guest.call_close(&mut self.store, connection.0);
        refused(contained(self.runtime.limits.call, ticking, call).await?)
    }

    /// Drops the connection, without closing it.
    pub(crate) async fn release(&mut self, connection: Opened) -> Result<(), CallError> {
        let ticking = self.begin_without_files()?;
        let drop = connection.0.resource_drop_async(&mut self.store);
        Ok(contained(self.runtime.limits.call, ticking, drop).await?)
    }

    /// Before every call: a new CPU budget, and the granted directories as they are now.
    fn begin(&mut self) -> Result<Ticking, CallError> {
        self.store.data_mut().wasi = self.access.context(&self.runtime);
        self.begin_without_files()
    }

    /// Before a call that by its contract does no I/O.
    fn begin_without_files(&mut self) -> Result<Ticking, CallError> {
        self.store.data_mut().ticks = 0;
        self.store.set_epoch_deadline(1);
        self.runtime.ticker.tick().map_err(CallError::Broken)
    }
}

/// What a component instance lives in, with its limits.
pub(crate) fn store(runtime: &Inner, access: &Access, source: Option<&Arc<Source>>) -> Store<State> {
    let state = State {
        wasi: access.context(runtime),
        http: WasiHttpCtx::new(),
        gate: access.0.gate.clone(),
        table: {
            let mut table = ResourceTable::new();
            table.set_max_capacity(RESOURCES);
            table
        },
        limits: runtime.limits.store(),
        source: source.cloned(),
        ticks: 0,
        ticks_allowed: runtime.limits.ticks(),
    };
    let mut store = Store::new(runtime.compiler.engine(), state);
    store.limiter(|state| &mut state.limits);
    store.set_hostcall_fuel(HOSTCALL_BYTES);
    store.set_epoch_deadline(1);
    // Epochs pass while a call waits for the network, too. But the callback runs when *guest code* meets a new one, so
    // a long wait costs a single tick.
    store.epoch_deadline_callback(|mut context| {
        let state = context.data_mut();
        state.ticks += 1;
        if state.ticks > state.ticks_allowed {
            return Ok(UpdateDeadline::Interrupt);
        }
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

/// Runs a call to its end, whatever end that is.
pub(crate) async fn contained<T>(
    limit: Duration,
    ticking: Ticking,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, Broken> {
    let mut call = pin!(call);
    let call = std::future::poll_fn(move |context| {
        // A panic in host code that serves a hostile component must cost that component, not this program.
        match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(value))) => Poll::Ready(Ok(value)),
            Ok(Poll::Ready(Err(error))) => Poll::Ready(Err(broken(&error))),
            Err(_) => Poll::Ready(Err(Broken {
                code: "component-trapped",
                what: "the component made a host function panic".to_owned(),
            })),
        }
    });
    let result = tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
        Err(Broken {
            code: "component-hung",
            what: format!("the component did not return within {} s", limit.as_secs_f32()),
        })
    });
    drop(ticking);
    result
}

/// Says what kind of trap it was, and no more: a message may quote what the component was working on.
fn broken(error: &wasmtime::Error) -> Broken {
    tracing::debug!(reason = %error.root_cause(), "component instance broken");
    let (code, what) = match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => ("component-cpu-limit", "the component used up its CPU time".to_owned()),
        Some(trap) => ("component-trapped", format!("the component trapped ({trap})")),
        // The store's limiter has no type of its own for this.
        None if error.to_string().contains("forcing trap when growing") => {
            ("component-memory-limit", "the component used up its memory".to_owned())
        }
        None => ("component-trapped", "the component was stopped by the host".to_owned()),
    };
    Broken { code, what }
}

fn refused<T>(result: Result<T, bindings::Error>) -> Result<T, CallError> {
    result.map_err(|error| CallError::Refused(self::error(error)))
}

/// From the WIT's error to ours.
pub(crate) fn error(error: bindings::Error) -> Error {
    use bindings::Error as Raw;
    let (kind, problem) = match error {
        Raw::Invalid(problem) => (ErrorKind::Invalid, problem),
        Raw::Denied(problem) => (ErrorKind::Denied, problem),
        Raw::Identity(problem) => (ErrorKind::Identity, problem),
        Raw::Rejected(problem) => (ErrorKind::Rejected, problem),
        Raw::Unavailable(problem) => (ErrorKind::Unavailable, problem),
    };
    Error {
        kind,
        code: problem.code.into(),
        message: problem.message,
        retry_after: problem.retry_after_ms.map(Duration::from_millis),
    }
}

pub(crate) fn warning(warning: bindings::Warning) -> Warning {
    Warning { code: warning.code, message: warning.message }
}

fn plan(plan: bindings::ConnectionPlan) -> Plan {
    let bindings::ConnectionPlan { dialect, settings, warnings, requirements } = plan;
    Plan {
        dialect,
        settings: settings
            .into_iter()
            .map(|s| Setting { name: s.name, value: s.value, origin: s.origin })
            .collect(),
        warnings: warnings.into_iter().map(warning).collect(),
        requirements: Requirements {
            endpoints: endpoints(requirements.endpoints),
            files: requirements.files,
            variables: requirements.variables,
            client_certificate: requirements.client_certificate.map(|certificate| ClientCertificate {
                certificate_file: certificate.certificate_file,
                private_key_file: certificate.private_key_file,
            }),
            source: requirements.source_component.map(source_component),
        },
    }
}

fn source_component(component: bindings::SourceComponent) -> SourceComponent {
    let bindings::SourceComponent { path, endpoints, files, variables } = component;
    SourceComponent { path, endpoints: self::endpoints(endpoints), files, variables }
}

fn endpoints(endpoints: Vec<bindings::Endpoint>) -> Vec<Endpoint> {
    endpoints.into_iter().map(|e| Endpoint::new(e.method, e.url)).collect()
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::Cache;
    use crate::compiled::Compiler;
    use crate::limits::{Limits, Ticker};

    async fn contain(call: impl Future<Output = wasmtime::Result<()>>) -> Error {
        let ticker = Ticker::new(Compiler::new(&Cache::Off, &Limits::default()).unwrap().engine().clone());
        let ticking = ticker.tick().ok().unwrap();
        match contained(Duration::from_secs(2), ticking, call).await {
            Err(broken) => Error::from(CallError::from(broken)),
            Ok(()) => panic!("contained"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_end_is_contained() {
        assert_eq!(contain(async { panic!("a host function, for a test") }).await.code, "component-trapped");
        assert_eq!(contain(pending()).await.code, "component-hung");
        assert_eq!(contain(ready(Err(Trap::Interrupt.into()))).await.code, "component-cpu-limit");
        let trap = contain(ready(Err(Trap::UnreachableCodeReached.into()))).await;
        assert_eq!((trap.kind, &*trap.code), (ErrorKind::Unavailable, "component-trapped"));
        let other = contain(ready(Err(wasmtime::Error::msg("canary")))).await;
        assert!(!other.to_string().contains("canary"));
    }
}
