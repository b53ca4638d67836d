//! What a connection is, as the component understands it: no secret, nothing read but what the document names.

use keyless::{Plan, Runtime, Variables};
use keyless_documents::edit;
use serde::Serialize;

use super::place::{self, Place};
use crate::output::problem::Problem;

/// A connection for people and for machines.
#[derive(Serialize)]
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) nickname: Option<String>,
    /// The form of the document.
    pub(crate) dialect: Option<String>,
    /// `api_key`, or the exchange with what comes before it.
    pub(crate) auth: Option<String>,
    pub(crate) organization: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) key: Option<KeyPlace>,
    /// What was noted when it was added.
    pub(crate) permissions: Option<String>,
    pub(crate) default: bool,
    /// Why it cannot be used.
    pub(crate) fault: Option<FaultShown>,
}

/// Where the key is.
#[derive(Serialize)]
pub(crate) struct KeyPlace {
    /// file, keyring, variable or document.
    pub(crate) stored_in: &'static str,
    pub(crate) name: Option<String>,
    /// Whether `keyless connection add` has put it there, so that `remove` takes it away.
    pub(crate) managed: bool,
}

/// What is wrong with a connection.
#[derive(Serialize)]
pub(crate) struct FaultShown {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) next: String,
}

impl From<&Problem> for FaultShown {
    fn from(problem: &Problem) -> Self {
        Self {
            code: problem.code().to_owned(),
            message: problem.what().to_owned(),
            next: problem.next().to_owned(),
        }
    }
}

/// A note in the file begins so.
pub(super) const PERMISSIONS: &str = "permissions: ";

impl Described {
    /// `text` is the whole file, `document` this connection in it or what is wrong with it.
    pub(super) async fn of(
        runtime: &Runtime,
        text: &str,
        name: &str,
        document: Result<&str, &Problem>,
        default: bool,
    ) -> Self {
        let mut described = Self {
            name: name.to_owned(),
            nickname: None,
            dialect: None,
            auth: None,
            organization: None,
            project: None,
            base_url: None,
            key: None,
            permissions: permissions(text, name),
            default,
            fault: document.err().map(FaultShown::from),
        };
        let Ok(document) = document else { return described };
        described.key = Place::of(document).map(|place| KeyPlace {
            stored_in: place.kind(),
            name: place.name(),
            managed: place.is_ours(),
        });
        match understand(runtime, document).await {
            Ok(plan) => described.fill(&plan),
            Err(error) => described.fault = Some((&Problem::from(error)).into()),
        }
        described
    }

    fn fill(&mut self, plan: &Plan) {
        let told = |name: &str| {
            plan.settings.iter().find(|setting| setting.name == name).map(|setting| setting.value.clone())
        };
        self.dialect = Some(plan.dialect.clone());
        self.nickname = told("nickname");
        self.organization = told("api.organization");
        self.project = told("api.project");
        self.base_url = told("api.base_url");
        self.auth = match (told("source.type"), told("exchange.type")) {
            (Some(source), Some(exchange)) => Some(format!("{source}, {exchange}")),
            (None, Some(exchange)) => Some(exchange),
            _ => told("auth_type"),
        };
    }
}

/// The plan, whether or not the key is there.
pub(super) async fn understand(runtime: &Runtime, document: &str) -> Result<Plan, keyless::Error> {
    let stood_in = Place::without_key(document);
    let document = stood_in.as_ref().map_or(document, |document| document.as_str());
    let mut variables = Variables::from_environment(&runtime.variables(document).await?)?;
    if stood_in.is_some() {
        variables.set(place::STAND_IN, "stand-in");
    }
    runtime.plan(document, &variables).await
}

fn permissions(text: &str, name: &str) -> Option<String> {
    let comments = edit::comments_above(text, name, "api_key");
    let noted = comments.iter().find_map(|comment| comment.strip_prefix(PERMISSIONS))?;
    let noted = noted.split_whitespace().next()?;
    matches!(noted, "read-only" | "full").then(|| noted.to_owned())
}
