//! Values of the component model, taken apart by the names in `wit/types.wit`.

use wasmtime::component::Val;

use keyless_scenarios::hosts::Pairs;
use keyless_scenarios::trace::{Credential, Plan, Problem, SourceComponent, Status};

pub(crate) fn pairs(pairs: &Pairs) -> Val {
    let text = |text: &String| Val::String(text.clone());
    Val::List(pairs.iter().map(|(name, value)| Val::Tuple(vec![text(name), text(value)])).collect())
}

/// `result<_, error>`
pub(crate) fn result(value: Option<Val>) -> Result<Val, Problem> {
    match value {
        Some(Val::Result(Ok(Some(value)))) => Ok(*value),
        Some(Val::Result(Err(Some(error)))) => Err(problem(&error)),
        other => panic!("not a result with values: {other:?}"),
    }
}

pub(crate) fn texts(value: &Val) -> Vec<String> {
    list(value).iter().map(text).collect()
}

pub(crate) fn credential(value: &Val) -> Credential {
    let credential = Record::new(value, 5);
    Credential {
        headers: list(credential.get("headers")).iter().map(|value| two(value, "name", "value")).collect(),
        base_url: text(credential.get("base-url")),
        generation: number(credential.get("generation")),
        renew_at: optional(credential.get("renew-at")).map(number),
        expires_at: optional(credential.get("expires-at")).map(number),
    }
}

pub(crate) fn status(value: &Val) -> Status {
    let status = Record::new(value, 9);
    let Val::Enum(phase) = status.get("phase") else { panic!("not an enum") };
    let Val::U32(failures_in_a_row) = status.get("failures-in-a-row") else { panic!("not a u32") };
    Status {
        phase: phase.clone(),
        generation: number(status.get("generation")),
        renewals: number(status.get("renewals")),
        failures: number(status.get("failures")),
        failures_in_a_row: *failures_in_a_row,
        next_attempt_at: optional(status.get("next-attempt-at")).map(number),
        expires_at: optional(status.get("expires-at")).map(number),
        last_error: optional(status.get("last-error")).map(problem),
        warnings: list(status.get("warnings")).iter().map(|value| two(value, "code", "message")).collect(),
    }
}

pub(crate) fn plan(value: &Val) -> Plan {
    let plan = Record::new(value, 4);
    let requirements = Record::new(plan.get("requirements"), 5);
    let setting = |value: &Val| {
        let setting = Record::new(value, 3);
        (text(setting.get("name")), text(setting.get("value")), text(setting.get("origin")))
    };
    Plan {
        dialect: text(plan.get("dialect")),
        settings: list(plan.get("settings")).iter().map(setting).collect(),
        warnings: list(plan.get("warnings")).iter().map(|value| two(value, "code", "message")).collect(),
        endpoints: list(requirements.get("endpoints"))
            .iter()
            .map(|value| two(value, "method", "url"))
            .collect(),
        files: texts(requirements.get("files")),
        variables: texts(requirements.get("variables")),
        client_certificate: match requirements.get("client-certificate") {
            Val::Option(Some(value)) => Some(two(value, "certificate-file", "private-key-file")),
            Val::Option(None) => None,
            other => panic!("not an option: {other:?}"),
        },
        source_component: optional(requirements.get("source-component")).map(source_component),
    }
}

fn source_component(value: &Val) -> SourceComponent {
    let component = Record::new(value, 4);
    let endpoints = list(component.get("endpoints")).iter().map(|value| two(value, "method", "url"));
    SourceComponent {
        path: text(component.get("path")),
        endpoints: endpoints.map(|(method, url)| format!("{method} {url}")).collect(),
        files: texts(component.get("files")),
        variables: texts(component.get("variables")),
    }
}

fn problem(value: &Val) -> Problem {
    let Val::Variant(kind, Some(value)) = value else { panic!("not an error") };
    let problem = Record::new(value, 3);
    Problem {
        kind: kind.clone(),
        code: text(problem.get("code")),
        message: text(problem.get("message")),
        retry_after_ms: optional(problem.get("retry-after-ms")).map(number),
    }
}

pub(crate) fn two(value: &Val, first: &str, second: &str) -> (String, String) {
    let record = Record::new(value, 2);
    (text(record.get(first)), text(record.get(second)))
}

pub(crate) struct Record<'v>(&'v [(String, Val)]);

impl<'v> Record<'v> {
    /// `fields`: how many there are, so that none is overlooked when the contract grows.
    pub(crate) fn new(value: &'v Val, fields: usize) -> Self {
        let Val::Record(record) = value else { panic!("not a record") };
        assert_eq!(record.len(), fields, "{record:?}");
        Self(record)
    }

    pub(crate) fn get(&self, name: &str) -> &'v Val {
        &self.0.iter().find(|(other, _)| other == name).unwrap_or_else(|| panic!("no field {name}")).1
    }
}

pub(crate) fn list(value: &Val) -> &[Val] {
    let Val::List(items) = value else { panic!("not a list") };
    items
}

pub(crate) fn text(value: &Val) -> String {
    let Val::String(text) = value else { panic!("not a string") };
    text.clone()
}

pub(crate) fn number(value: &Val) -> u64 {
    let Val::U64(number) = value else { panic!("not a u64") };
    *number
}

pub(crate) fn optional(value: &Val) -> Option<&Val> {
    let Val::Option(value) = value else { panic!("not an option") };
    value.as_deref()
}
