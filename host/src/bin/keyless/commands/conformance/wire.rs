//! Our own answers in the protocol's spelling, to compare a host's with.

use keyless::{Error, ErrorKind, Plan};
use serde::Serialize;

/// `{"ok":...}` with the plan as `wit/types.wit` spells it, or `{"err":...}`.
pub(crate) fn plan(given: Result<Plan, Error>) -> String {
    line(&given.as_ref().map(ConnectionPlan::from).map_err(Case::from))
}

/// `{"ok":["NAME",...]}`, or `{"err":...}`.
pub(crate) fn variables(given: Result<Vec<String>, Error>) -> String {
    line(&given.as_ref().map_err(Case::from))
}

fn line<T: Serialize>(given: &Result<T, Case>) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    enum Outcome<'a, T> {
        Ok(&'a T),
        Err(&'a Case),
    }
    let outcome = match given {
        Ok(value) => Outcome::Ok(value),
        Err(error) => Outcome::Err(error),
    };
    // Texts and numbers: nothing in them has no JSON form.
    serde_json::to_string(&outcome).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Case {
    Invalid(Problem),
    Denied(Problem),
    Identity(Problem),
    Rejected(Problem),
    Unavailable(Problem),
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Problem {
    code: String,
    message: String,
    retry_after_ms: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ConnectionPlan<'a> {
    dialect: &'a str,
    settings: Vec<Setting<'a>>,
    warnings: Vec<Warning<'a>>,
    requirements: Requirements<'a>,
}

#[derive(Serialize)]
struct Setting<'a> {
    name: &'a str,
    value: &'a str,
    origin: &'a str,
}

#[derive(Serialize)]
struct Warning<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Requirements<'a> {
    endpoints: Vec<Endpoint<'a>>,
    files: &'a [String],
    variables: &'a [String],
    client_certificate: Option<ClientCertificate<'a>>,
    source_component: Option<SourceComponent<'a>>,
}

#[derive(Serialize)]
struct Endpoint<'a> {
    method: &'a str,
    url: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ClientCertificate<'a> {
    certificate_file: &'a str,
    private_key_file: &'a str,
}

#[derive(Serialize)]
struct SourceComponent<'a> {
    path: &'a str,
    endpoints: Vec<Endpoint<'a>>,
    files: &'a [String],
    variables: &'a [String],
}

impl From<&Error> for Case {
    fn from(error: &Error) -> Self {
        let problem = Problem {
            code: error.code.to_string(),
            message: error.message.clone(),
            retry_after_ms: error.retry_after.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        };
        match error.kind {
            ErrorKind::Invalid => Self::Invalid(problem),
            ErrorKind::Denied => Self::Denied(problem),
            ErrorKind::Identity => Self::Identity(problem),
            ErrorKind::Rejected => Self::Rejected(problem),
            _ => Self::Unavailable(problem),
        }
    }
}

impl<'a> From<&'a Plan> for ConnectionPlan<'a> {
    fn from(plan: &'a Plan) -> Self {
        let endpoints = |given: &'a [keyless::Endpoint]| {
            given.iter().map(|endpoint| Endpoint { method: &endpoint.method, url: &endpoint.url }).collect()
        };
        let needs = &plan.requirements;
        Self {
            dialect: &plan.dialect,
            settings: plan
                .settings
                .iter()
                .map(|setting| Setting {
                    name: &setting.name,
                    value: &setting.value,
                    origin: &setting.origin,
                })
                .collect(),
            warnings: plan
                .warnings
                .iter()
                .map(|warning| Warning { code: &warning.code, message: &warning.message })
                .collect(),
            requirements: Requirements {
                endpoints: endpoints(&needs.endpoints),
                files: &needs.files,
                variables: &needs.variables,
                client_certificate: needs.client_certificate.as_ref().map(|certificate| ClientCertificate {
                    certificate_file: &certificate.certificate_file,
                    private_key_file: &certificate.private_key_file,
                }),
                source_component: needs.source.as_ref().map(|source| SourceComponent {
                    path: &source.path,
                    endpoints: endpoints(&source.endpoints),
                    files: &source.files,
                    variables: &source.variables,
                }),
            },
        }
    }
}
