//! One file per step, and the attempt that several of them look at.

pub(super) mod api;
pub(super) mod clock;
pub(super) mod document;
pub(super) mod endpoint;
pub(super) mod exchange;
pub(super) mod source;

use std::time::Duration;

use keyless::{Connection, CredentialRef, Plan, Warning};

use super::platform::setting;
use super::watch::{Sighting, Watch};
use crate::output::problem::{Class, Problem};
use crate::session::Session;

/// One real attempt of the component to get a credential, as it was seen from outside.
pub(super) struct Attempt {
    pub(super) outcome: Result<CredentialRef, Problem>,
    /// Requests to services of the platform, for the identity token.
    pub(super) to_platform: Vec<Sighting>,
    /// The request to the token endpoint.
    pub(super) to_endpoint: Option<Sighting>,
    /// What the component found doubtful on the way.
    pub(super) warnings: Vec<Warning>,
    connection: Option<Connection>,
}

/// Which step an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailedAt {
    Source,
    Exchange,
}

impl Attempt {
    pub(super) async fn make(session: &Session, watch: &Watch, patience: Duration) -> Self {
        let (connection, outcome) = match session.open().await {
            Ok(connection) => {
                let outcome = connection.attempt(patience).await;
                let outcome =
                    outcome.map_err(|error| Problem::from(error).in_document(&session.document.origin));
                (Some(connection), outcome)
            }
            Err(problem) => (None, Err(problem)),
        };
        let endpoint = token_endpoint(&session.plan);
        let (to_endpoint, to_platform): (Vec<_>, Vec<_>) =
            watch.sightings().into_iter().partition(|seen| Some(seen.url.as_str()) == endpoint);
        let warnings = connection.as_ref().map_or_else(Vec::new, |connection| connection.status().warnings);
        Self { outcome, to_platform, to_endpoint: to_endpoint.into_iter().next_back(), warnings, connection }
    }

    /// The step that failed, and why. `None` if there is a credential.
    pub(super) fn failure(&self) -> Option<(FailedAt, &Problem)> {
        let problem = self.outcome.as_ref().err()?;
        // Whatever happens before the token endpoint answers is about the identity token, if its class does not say
        // otherwise; what the endpoint says of a token that has expired is about the exchange.
        let answered = self.to_endpoint.as_ref().is_some_and(|sent| sent.answer().is_some());
        let at_source = self.to_endpoint.is_none() || problem.class() == Class::Identity && !answered;
        Some((if at_source { FailedAt::Source } else { FailedAt::Exchange }, problem))
    }

    /// Ends the connection, which revokes what was minted where the exchange can.
    pub(super) async fn end(self) {
        if let Some(connection) = self.connection
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "the connection did not close in good order");
        }
    }
}

/// Whether the connection makes its key itself: then it trades nothing, and asks an Admin API.
pub(super) fn mints(plan: &Plan) -> bool {
    setting(plan, "auth_type") == Some("minted_key")
}

/// Where the identity token is traded. `None` for a static key.
pub(super) fn token_endpoint(plan: &Plan) -> Option<&str> {
    setting(plan, "exchange.token_endpoint")
}
