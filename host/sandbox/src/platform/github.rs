//! The token service that a job of GitHub Actions finds in its variables (GitHub Docs, "OpenID Connect reference").

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::Platform;
use crate::answer;
use crate::bearer;
use crate::body::Body;
use crate::form::Form;
use crate::service::{Answering, Service};
use crate::world::World;

/// Path and query of `ACTIONS_ID_TOKEN_REQUEST_URL`: clients append to the query that is there already.
const REQUEST_PATH: &str = "/run/4242/idtoken";
pub(crate) const REQUEST_TARGET: &str = "/run/4242/idtoken?api-version=2.0";

/// Which repository and branch the job runs for.
pub(crate) const SUBJECT: &str = "repo:octo-org/octo-repo:ref:refs/heads/main";

/// `aud` where the job asks for none.
const DEFAULT_AUDIENCE: &str = "https://github.com/octo-org";

/// Five minutes.
const LIFETIME_S: u64 = 300;

/// The service.
pub(crate) struct Github {
    world: Arc<World>,
}

impl Github {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world) }
    }

    fn route(&self, request: &Request<Bytes>) -> Response<Body> {
        if request.uri().path() != REQUEST_PATH {
            return answer::not_found();
        }
        if request.method() != Method::GET {
            return answer::method_not_allowed("GET");
        }
        match self.token(request) {
            Ok(token) => answer::json(StatusCode::OK, &json!({"count": token.len(), "value": token})),
            Err((status, message)) => answer::json(status, &json!({"message": message})),
        }
    }

    fn token(&self, request: &Request<Bytes>) -> Result<String, (StatusCode, String)> {
        if bearer::of(request.headers()) != Some(&self.world.platforms.secrets.github_request_token) {
            return Err((StatusCode::UNAUTHORIZED, "The request token is not the job's.".to_owned()));
        }
        let bad = |text: String| (StatusCode::BAD_REQUEST, text);
        let query =
            Form::of_query(request.uri()).map_err(|why| bad(format!("The query is malformed: {why}.")))?;
        if query.get("api-version") != Some("2.0") {
            return Err(bad("The query that the URL had already is gone.".to_owned()));
        }
        if let Some(unknown) = query.beyond(&["api-version", "audience"]) {
            return Err(bad(format!("The parameter {unknown} is not known.")));
        }
        let audience = match query.get("audience") {
            None => DEFAULT_AUDIENCE,
            Some("") => return Err(bad("The audience is empty.".to_owned())),
            Some(audience) => audience,
        };
        let own = json!({
            "actor": "octocat",
            "event_name": "push",
            "job_workflow_ref": "octo-org/octo-repo/.github/workflows/ci.yml@refs/heads/main",
            "ref": "refs/heads/main",
            "ref_type": "branch",
            "repository": "octo-org/octo-repo",
            "repository_owner": "octo-org",
            "run_attempt": "1",
            "run_id": "4242",
            "runner_environment": "github-hosted",
            "workflow": "ci",
        });
        let issued =
            self.world.issue_as(Platform::Github, &Value::String(audience.to_owned()), LIFETIME_S, own);
        let failed = |_| (StatusCode::INTERNAL_SERVER_ERROR, "No token could be signed.".to_owned());
        Ok(issued.map_err(failed)?.token)
    }
}

impl Service for Github {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move { self.route(&request) })
    }
}
