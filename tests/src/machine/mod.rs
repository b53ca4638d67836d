//! The component without imports in wasmtime, as an engine that is driven like the one inside it.
//!
//! Called without generated bindings, as a foreign host would.

mod values;

use std::sync::OnceLock;

use keyless_engine::Event;
use keyless_engine::io::{Effect, Now};
use keyless_scenarios::hosts::driven::Driven;
use keyless_scenarios::hosts::engine::Engine;
use keyless_scenarios::hosts::{Maker, Pairs};
use keyless_scenarios::trace::{Credential, Plan, Problem, Status};
use wasmtime::Store;
use wasmtime::component::{Component, Instance, InstancePre, Linker, ResourceAny, Val};

use crate::component::values as contract;
use crate::counts::fuel;

const INTERFACE: &str = "keyless:credentials/machine@0.1.0";

pub(crate) const MACHINE: Maker =
    Maker { name: "machine", make: |world| Box::new(Driven::new(world, Machine::new())), plays: |_| true };

/// One instance.
pub(crate) struct Machine {
    store: Store<()>,
    instance: Instance,
    session: Option<ResourceAny>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let prepared = prepared();
        let mut store = fuel::filled(Store::new(prepared.component().engine(), ()));
        let instance = prepared.instantiate(&mut store).unwrap();
        Self { store, instance, session: None }
    }

    /// WebAssembly instructions so far.
    pub(crate) fn instructions(&self) -> u64 {
        fuel::spent(&self.store)
    }

    fn call(&mut self, name: &str, parameters: &[Val]) -> Option<Val> {
        let Self { store, instance, .. } = self;
        let interface = instance.get_export_index(&mut *store, None, INTERFACE).unwrap();
        let index = instance.get_export_index(&mut *store, Some(&interface), name);
        let function = instance.get_func(&mut *store, index.expect(name)).unwrap();
        let mut values = vec![Val::Bool(false); function.ty(&*store).results().len()];
        function.call(&mut *store, parameters, &mut values).unwrap();
        values.pop()
    }

    fn method(&mut self, name: &str, parameters: Vec<Val>) -> Val {
        let session = Val::Resource(self.session.expect("an open session"));
        let all: Vec<_> = [session].into_iter().chain(parameters).collect();
        self.call(&format!("[method]session.{name}"), &all).expect("a value")
    }
}

impl Engine for Machine {
    fn variables(&mut self, document: &str) -> Result<Vec<String>, Problem> {
        let result = self.call("[static]session.variables", &[Val::String(document.to_owned())]);
        contract::result(result).map(|names| contract::texts(&names))
    }

    fn plan(&mut self, document: &str, variables: &Pairs) -> Result<Plan, Problem> {
        let parameters = [Val::String(document.to_owned()), contract::pairs(variables)];
        contract::result(self.call("[static]session.plan", &parameters)).map(|plan| contract::plan(&plan))
    }

    fn open(&mut self, document: &str, variables: &Pairs) -> Result<(), Problem> {
        let parameters = [Val::String(document.to_owned()), contract::pairs(variables)];
        let opened = contract::result(self.call("[static]session.open", &parameters))?;
        let Val::Resource(session) = opened else { panic!("open returned no resource") };
        self.session = Some(session);
        Ok(())
    }

    fn step(&mut self, now: Now, event: Event) -> Vec<Effect> {
        values::effects(self.method("step", vec![values::now(now), values::event(event)]))
    }

    fn credential(&mut self, now: Now) -> Result<Option<Credential>, Problem> {
        let held = contract::result(Some(self.method("credential", vec![values::now(now)])))?;
        Ok(contract::optional(&held).map(contract::credential))
    }

    fn wake_at(&mut self, now: Now) -> Option<u64> {
        contract::optional(&self.method("wake-at", vec![values::now(now)])).map(contract::number)
    }

    fn busy(&mut self) -> bool {
        let Val::Bool(busy) = self.method("busy", Vec::new()) else { panic!("not a bool") };
        busy
    }

    fn status(&mut self, now: Now) -> Status {
        contract::status(&self.method("status", vec![values::now(now)]))
    }

    fn close(&mut self) -> Vec<String> {
        let session = self.session.take().expect("an open session");
        session.resource_drop(&mut self.store).unwrap();
        Vec::new()
    }
}

/// Compiled once for all plays.
fn prepared() -> &'static InstancePre<()> {
    static PREPARED: OnceLock<InstancePre<()>> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let mut config = fuel::counted();
        config.concurrency_support(false);
        let engine = wasmtime::Engine::new(&config).unwrap();
        let component = Component::from_binary(&engine, keyless_machine::CREDENTIAL_MACHINE).unwrap();
        Linker::new(&engine).instantiate_pre(&component).unwrap()
    })
}
