//! What needs no host: `variables`, `plan` and `replay`, called without generated types, as any value of the WIT has one
//! spelling in the protocol.

use serde_json::{Value, json};
use wasmtime::Store;
use wasmtime::component::{Component, Func, Instance, Linker, Val};
use wasmtime::error::Context as _;
use wasmtime::{Result, bail};

use crate::json;

const INTERFACE: &str = "keyless:credentials/machine@0.1.0";

/// An instance for one answer.
struct Pure {
    store: Store<()>,
    instance: Instance,
}

/// The names of the variables that a document reads.
///
/// # Errors
/// The request is malformed, or the machine cannot be run.
pub fn variables(component: &Component, request: &Value) -> Result<String> {
    Pure::new(component)?.text("[static]session.variables", &[Argument::Json(&request["document"])])
}

/// What a document means, and what it needs.
///
/// # Errors
/// As for [`variables`].
pub fn plan(component: &Component, request: &Value) -> Result<String> {
    let arguments = [Argument::Json(&request["document"]), Argument::Json(&request["variables"])];
    Pure::new(component)?.text("[static]session.plan", &arguments)
}

/// What the machine decides, event by event.
///
/// # Errors
/// As for [`variables`].
pub fn replay(component: &Component, request: &Value) -> Result<String> {
    let mut machine = Pure::new(component)?;
    let arguments = [Argument::Json(&request["document"]), Argument::Json(&request["variables"])];
    let (opened, open) = machine.call("[static]session.open", &arguments)?;
    let session = match opened {
        Val::Result(Ok(Some(session))) => *session,
        refused => {
            let mut out = String::from("{\"open\":");
            json::write(
                &mut out,
                &refused,
                open.ty(&machine.store).results().next().as_ref().context("no result")?,
            )?;
            out.push_str(",\"decisions\":[]}");
            return Ok(out);
        }
    };
    let steps = request["steps"].as_array().context("`steps` is a list")?;
    let mut decisions = Vec::with_capacity(steps.len());
    for step in steps {
        let (session, now) = (Argument::Value(&session), Argument::Json(&step["now"]));
        let effects =
            machine.text("[method]session.step", &[session, now, Argument::Json(&step["event"])])?;
        let mut fields = vec![format!("\"effects\":{effects}")];
        for name in ["credential", "wake-at", "busy", "status"] {
            let arguments: &[_] = if name == "busy" { &[session] } else { &[session, now] };
            let answer = machine.text(&format!("[method]session.{name}"), arguments)?;
            fields.push(format!("\"{name}\":{answer}"));
        }
        decisions.push(format!("{{{}}}", fields.join(",")));
    }
    Ok(format!("{{\"open\":{},\"decisions\":[{}]}}", json!({"ok": null}), decisions.join(",")))
}

#[derive(Clone, Copy)]
enum Argument<'a> {
    Json(&'a Value),
    Value(&'a Val),
}

impl Pure {
    fn new(component: &Component) -> Result<Self> {
        let mut store = Store::new(component.engine(), ());
        let instance = Linker::new(component.engine()).instantiate(&mut store, component)?;
        Ok(Self { store, instance })
    }

    fn text(&mut self, name: &str, arguments: &[Argument<'_>]) -> Result<String> {
        let (value, function) = self.call(name, arguments)?;
        let ty = function.ty(&self.store).results().next().context("a function without a result")?;
        let mut out = String::new();
        json::write(&mut out, &value, &ty)?;
        Ok(out)
    }

    fn call(&mut self, name: &str, arguments: &[Argument<'_>]) -> Result<(Val, Func)> {
        let interface = self.instance.get_export_index(&mut self.store, None, INTERFACE);
        let interface = interface.with_context(|| format!("the component does not export `{INTERFACE}`"))?;
        let index = self.instance.get_export_index(&mut self.store, Some(&interface), name);
        let function = index.and_then(|index| self.instance.get_func(&mut self.store, index));
        let function = function.with_context(|| format!("the component does not export `{name}`"))?;
        let types = function.ty(&self.store);
        if types.params().len() != arguments.len() {
            bail!("`{name}` takes another number of arguments");
        }
        let arguments = arguments.iter().zip(types.params()).map(|(argument, (_, ty))| match argument {
            Argument::Json(value) => json::read(value, &ty),
            Argument::Value(value) => Ok((*value).clone()),
        });
        let arguments = arguments.collect::<Result<Vec<_>>>()?;
        let mut results = [Val::Bool(false)];
        function.call(&mut self.store, &arguments, &mut results)?;
        let [result] = results;
        Ok((result, function))
    }
}
