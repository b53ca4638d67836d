//! The first two steps: the document is understood, and what it needs is granted. No network, no token.

use keyless::{Requirements, Runtime};
use serde_json::json;

use crate::cli::Cli;
use crate::commands::doctor::causes::variable;
use crate::commands::doctor::platform::setting;
use crate::commands::doctor::report::{Diagnosis, Step, StepName};
use crate::document;
use crate::output::counted;
use crate::session::{Gate, Refused, Session};

/// The steps, and the connection if both hold.
pub(in crate::commands::doctor) async fn examine(
    cli: &Cli,
    runtime: Runtime,
) -> (Vec<Step>, Option<Session>) {
    let given = cli.connection.connection.as_deref();
    let document = match document::find(given, cli.connection.config.as_deref()) {
        Ok(document) => document,
        Err(problem) => return (vec![Step::failed(StepName::Document, Diagnosis::of(&problem))], None),
    };
    let origin = document.origin.clone();
    // Named for the reader of a failure; a document that cannot be understood names none.
    let wanted = runtime.variables(&document.text).await.unwrap_or_default();
    let unset: Vec<_> = wanted.into_iter().filter(|name| !document.has(name)).collect();
    match Session::understand(cli, runtime, document).await {
        Ok(session) => (vec![understood(&session, &unset), granted(cli, &session)], Some(session)),
        Err(Refused { by: Gate::Document, problem }) => {
            let diagnosis = variable::diagnose(Diagnosis::of(&problem), &unset);
            let step = Step::failed(StepName::Document, diagnosis)
                .detail("origin", origin)
                .detail("variables_unset", unset);
            (vec![step], None)
        }
        Err(Refused { by: Gate::Grant, problem }) => {
            let lock = cli.connection.locked.as_deref().map(|path| path.display().to_string());
            let grant = Step::failed(StepName::Grant, Diagnosis::of(&problem)).detail("lock", lock);
            (vec![read(origin), grant], None)
        }
        Err(Refused { by: Gate::Audience, problem }) => {
            let grant = Step::ok(StepName::Grant, "within what is allowed");
            let source = Step::failed(StepName::Source, Diagnosis::of(&problem));
            (vec![read(origin), grant, source], None)
        }
    }
}

/// A document of which no more is to be told.
fn read(origin: String) -> Step {
    Step::ok(StepName::Document, format!("from {origin}")).detail("origin", origin)
}

fn understood(session: &Session, unset: &[String]) -> Step {
    let Session { document, plan, .. } = session;
    let told = |name| setting(plan, name);
    let summary = match (told("source.type"), told("exchange.type")) {
        (Some(source), Some(exchange)) => {
            format!("{source} identity, {exchange} exchange, from {}", document.origin)
        }
        (None, Some(exchange)) => format!("keys made by the {exchange} exchange, from {}", document.origin),
        _ => format!("a static API key, from {}", document.origin),
    };
    let mut step = Step::ok(StepName::Document, summary)
        .detail("origin", document.origin.as_str())
        .detail("dialect", plan.dialect.as_str())
        .detail("source", told("source.type"))
        .detail("exchange", told("exchange.type"))
        .detail("base_url", told("api.base_url"))
        .detail("variables_unset", unset)
        .detail(
            "warnings",
            plan.warnings.iter().map(|w| json!({"code": w.code, "message": w.message})).collect::<Vec<_>>(),
        );
    for warning in &plan.warnings {
        let (what, next) = advised(&warning.message);
        step = step.doubt(&*warning.code, what, next);
    }
    step
}

/// Warnings say what was found, and in their last sentence what to write instead.
fn advised(message: &str) -> (&str, &str) {
    let parts = message.rsplit_once(". ").or_else(|| message.rsplit_once("; "));
    parts.unwrap_or((message, "correct the document; `keyless plan` shows how it is understood"))
}

fn granted(cli: &Cli, session: &Session) -> Step {
    let Requirements { endpoints, files, variables, client_certificate, source } = &session.plan.requirements;
    let needs = format!(
        "{}, {}, {}",
        counted(endpoints.len(), "endpoint"),
        counted(files.len(), "file"),
        counted(variables.len(), "variable")
    );
    let lock = cli.connection.locked.as_deref().map(|path| path.display().to_string());
    let summary = match &lock {
        Some(lock) => format!("{needs}: within what {lock} allows"),
        None => format!("{needs}: granted, as no lock file is in force"),
    };
    Step::ok(StepName::Grant, summary)
        .detail("lock", lock)
        .detail("endpoints", endpoints.iter().map(ToString::to_string).collect::<Vec<_>>())
        .detail("files", files.as_slice())
        .detail("variables", variables.as_slice())
        .detail("source_component", source.as_ref().map(|source| source.path.as_str()))
        .detail("certificate_file", client_certificate.as_ref().map(|names| names.certificate_file.as_str()))
}
