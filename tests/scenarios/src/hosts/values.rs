//! The engine's words as plain values.

use keyless_engine::lease::Phase;
use keyless_engine::plan::{self, Warning};
use keyless_engine::{Error, Kind, Machine, Variables, document, io::Now, machine};

use super::Pairs;
use crate::trace::{Credential, Plan, Problem, SourceComponent, Status};

pub fn variables(pairs: &Pairs) -> Variables {
    pairs.iter().cloned().collect()
}

pub(super) fn plan((dialect, plan): (document::Dialect, plan::Plan)) -> Plan {
    let needs = plan.requirements;
    Plan {
        dialect: dialect.as_str().to_owned(),
        settings: plan
            .settings
            .into_iter()
            .map(|setting| (setting.name, setting.value, setting.origin.as_str().to_owned()))
            .collect(),
        warnings: warnings(&plan.warnings),
        endpoints: needs
            .endpoints
            .into_iter()
            .map(|endpoint| (endpoint.method.to_owned(), endpoint.url))
            .collect(),
        files: needs.files,
        variables: needs.variables,
        client_certificate: needs
            .client_certificate
            .map(|certificate| (certificate.certificate_file, certificate.private_key_file)),
        source_component: needs.source_component.map(source_component),
    }
}

pub fn credential(credential: &machine::Credential<'_>) -> Credential {
    Credential {
        headers: credential
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.expose().to_owned()))
            .collect(),
        base_url: credential.base_url.to_owned(),
        generation: credential.generation,
        renew_at: credential.renew_at,
        expires_at: credential.expires_at,
    }
}

pub fn status(machine: &Machine, now: Now) -> Status {
    let status = machine.status(now);
    let phase = match status.phase {
        Phase::Idle => "idle",
        Phase::Acquiring => "acquiring",
        Phase::Fresh => "fresh",
        Phase::Renewing => "renewing",
        Phase::Waiting => "waiting",
        Phase::Failed => "failed",
    };
    Status {
        phase: phase.to_owned(),
        generation: status.generation,
        renewals: status.counters.renewals,
        failures: status.counters.failures,
        failures_in_a_row: status.counters.failures_in_a_row,
        next_attempt_at: status.next_attempt_at,
        expires_at: status.expires_at,
        last_error: status.last_error.map(problem),
        warnings: warnings(status.warnings),
    }
}

pub fn problem(error: &Error) -> Problem {
    Problem {
        kind: kind(error.kind()).to_owned(),
        code: error.code().as_str().to_owned(),
        message: error.message().to_owned(),
        retry_after_ms: error.retry_after_ms(),
    }
}

/// The case of the WIT variant.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid => "invalid",
        Kind::Denied => "denied",
        Kind::Identity => "identity",
        Kind::Rejected => "rejected",
        Kind::Unavailable => "unavailable",
    }
}

fn source_component(component: plan::SourceComponent) -> SourceComponent {
    let endpoint = |endpoint: plan::Endpoint| format!("{} {}", endpoint.method, endpoint.url);
    SourceComponent {
        path: component.path,
        endpoints: component.endpoints.into_iter().map(endpoint).collect(),
        files: component.files,
        variables: component.variables,
    }
}

fn warnings(warnings: &[Warning]) -> Vec<(String, String)> {
    warnings.iter().map(|warning| (warning.code.to_owned(), warning.message.clone())).collect()
}
