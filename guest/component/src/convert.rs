//! The engine's types as the contract's.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Deref;

use keyless_engine::document::Dialect;
use keyless_engine::lease::Phase;
use keyless_engine::machine::{self, Credential as EngineCredential};
#[cfg(not(feature = "machine"))]
use keyless_engine::minting::{Account, Prune, Standing};
use keyless_engine::plan::{self, Plan};
use keyless_engine::secret::Secret;
use keyless_engine::{Error as EngineError, Kind, Variables};

use crate::bindings::keyless::credentials::types::{self, ConnectionPlan, Credential, Error, Status};

/// A document: it may hold a key, so it does not outlive the call.
pub(crate) struct Wiped(Secret);

impl Wiped {
    pub(crate) fn new(text: String) -> Self {
        Self(Secret::new(text))
    }
}

impl Deref for Wiped {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.expose()
    }
}

pub(crate) fn credential(credential: &EngineCredential<'_>) -> Credential {
    let header = |(name, value): &(String, Secret)| types::Header {
        name: name.clone(),
        value: value.expose().to_owned(),
    };
    Credential {
        headers: credential.headers.iter().map(header).collect(),
        base_url: credential.base_url.to_owned(),
        generation: credential.generation,
        renew_at: credential.renew_at,
        expires_at: credential.expires_at,
    }
}

pub(crate) fn error(error: EngineError) -> Error {
    let problem = types::Problem {
        code: error.code().as_str().to_owned(),
        message: error.message().to_owned(),
        retry_after_ms: error.retry_after_ms(),
    };
    match error.kind() {
        Kind::Invalid => Error::Invalid(problem),
        Kind::Denied => Error::Denied(problem),
        Kind::Identity => Error::Identity(problem),
        Kind::Rejected => Error::Rejected(problem),
        Kind::Unavailable => Error::Unavailable(problem),
    }
}

/// The pure function of that name, which every world exports.
pub(crate) fn variables(document: String) -> Result<Vec<String>, Error> {
    keyless_engine::variables(&Wiped::new(document)).map_err(error)
}

/// As [`variables`].
pub(crate) fn plan(document: String, variables: Vec<(String, String)>) -> Result<ConnectionPlan, Error> {
    let variables = Variables::from_iter(variables);
    keyless_engine::plan(&Wiped::new(document), &variables).map(understood).map_err(error)
}

fn understood((dialect, plan): (Dialect, Plan)) -> ConnectionPlan {
    let setting = |setting: plan::Setting| types::Setting {
        origin: setting.origin.as_str().to_owned(),
        name: setting.name,
        value: setting.value,
    };
    let source_component = |component: plan::SourceComponent| types::SourceComponent {
        path: component.path,
        endpoints: endpoints(component.endpoints),
        files: component.files,
        variables: component.variables,
    };
    ConnectionPlan {
        dialect: dialect.as_str().to_owned(),
        settings: each(plan.settings, setting),
        warnings: warnings(&plan.warnings),
        requirements: types::Requirements {
            endpoints: endpoints(plan.requirements.endpoints),
            files: plan.requirements.files,
            variables: plan.requirements.variables,
            client_certificate: plan.requirements.client_certificate.map(|certificate| {
                types::ClientCertificate {
                    certificate_file: certificate.certificate_file,
                    private_key_file: certificate.private_key_file,
                }
            }),
            source_component: plan.requirements.source_component.map(source_component),
        },
    }
}

pub(crate) fn status(status: &machine::Status<'_>) -> Status {
    Status {
        phase: match status.phase {
            Phase::Idle => types::Phase::Idle,
            Phase::Acquiring => types::Phase::Acquiring,
            Phase::Fresh => types::Phase::Fresh,
            Phase::Renewing => types::Phase::Renewing,
            Phase::Waiting => types::Phase::Waiting,
            Phase::Failed => types::Phase::Failed,
        },
        generation: status.generation,
        renewals: status.counters.renewals,
        failures: status.counters.failures,
        failures_in_a_row: status.counters.failures_in_a_row,
        next_attempt_at: status.next_attempt_at,
        expires_at: status.expires_at,
        last_error: status.last_error.cloned().map(error),
        warnings: warnings(status.warnings),
    }
}

#[cfg(not(feature = "machine"))]
pub(crate) fn prune(prune: types::Prune) -> Prune {
    match prune {
        types::Prune::Nothing => Prune::Nothing,
        types::Prune::Done => Prune::Done,
        types::Prune::All => Prune::All,
    }
}

#[cfg(not(feature = "machine"))]
pub(crate) fn accounts(surveyed: Result<Vec<Account>, EngineError>) -> Result<Vec<types::Account>, Error> {
    let account = |account: Account| types::Account {
        id: account.id,
        name: account.name,
        created_at: account.created_at_ms,
        lapses_at: account.lapses_at_ms,
        standing: match account.standing {
            Standing::Current => types::AccountStanding::Current,
            Standing::InUse => types::AccountStanding::InUse,
            Standing::Done => types::AccountStanding::Done,
        },
        alike: account.alike,
        deleted: account.deleted,
    };
    surveyed.map(|accounts| accounts.into_iter().map(account).collect()).map_err(error)
}

#[inline(never)]
fn endpoints(endpoints: Vec<plan::Endpoint>) -> Vec<types::Endpoint> {
    let endpoint =
        |endpoint: plan::Endpoint| types::Endpoint { method: endpoint.method.to_owned(), url: endpoint.url };
    each(endpoints, endpoint)
}

#[inline(never)]
fn warnings(warnings: &[plan::Warning]) -> Vec<types::Warning> {
    let warning = |warning: &plan::Warning| types::Warning {
        code: warning.code.to_owned(),
        message: warning.message.clone(),
    };
    warnings.iter().map(warning).collect()
}

/// Every one of them, turned into another. Not collected: that would be done in place, by code that is larger than this.
fn each<A, B>(items: Vec<A>, turned: fn(A) -> B) -> Vec<B> {
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        all.push(turned(item));
    }
    all
}
