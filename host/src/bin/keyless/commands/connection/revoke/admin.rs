//! The two calls of OpenAI's Admin API: `GET` and `DELETE` below `/organization/projects/{project}/api_keys` (API reference,
//! "Project API keys"). Of its answers only what is needed is read, and nothing is quoted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode, header};
use keyless::sender::{Body, Fault, Granted, Network, Patience, Sender as _};
use keyless::{Endpoint, Grant};
use serde_json::Value;
use zeroize::Zeroizing;

use super::unclear;
use crate::cli::Cli;
use crate::output::problem::{Class, Problem};
use crate::session;

/// As long as the component waits for a token endpoint.
const PATIENCE: Patience = Patience { connect: Duration::from_secs(5), total: Duration::from_secs(30) };

/// Keys on a page: the most that there can be, and so few that their list is surely not too large.
const PAGES: [u8; 2] = [100, 20];

/// More keys than a project has. A list that goes on beyond that has no end.
const MOST: usize = 10_000;

/// The Admin API, for one project.
pub(super) struct Admin {
    network: Arc<Network>,
    /// Of the project's keys, without a slash at its end.
    url: String,
    authorization: http::HeaderValue,
}

/// A key of the project.
pub(super) struct Listed {
    /// `key_...`
    pub(super) id: String,
    /// What is shown of it.
    pub(super) redacted_value: String,
    /// Whether it belongs to a service account.
    pub(super) service_account: bool,
}

impl Admin {
    /// `host` is the base URL.
    pub(super) fn new(cli: &Cli, host: &str, project: &str, key: Zeroizing<String>) -> Result<Self, Problem> {
        let network = Arc::new(session::network(&cli.runtime)?);
        let bearer = Zeroizing::new(format!("Bearer {}", key.as_str()));
        let mut authorization = http::HeaderValue::try_from(bearer.as_str()).map_err(|_| {
            Problem::invalid("admin-key", "the Admin key cannot stand in a header", "copy it again")
        })?;
        authorization.set_sensitive(true);
        let url = format!("{}/organization/projects/{project}/api_keys", host.trim_end_matches('/'));
        Ok(Self { network, url, authorization })
    }

    /// All keys of the project.
    pub(super) async fn list(&self) -> Result<Vec<Listed>, Problem> {
        let granted = self.granted("GET", &self.url)?;
        let (mut listed, mut seen) = (Vec::new(), BTreeSet::new());
        let (mut limits, mut after) = (PAGES.into_iter(), None::<String>);
        let mut limit = limits.next().unwrap_or(1);
        loop {
            let cursor = after.as_ref().map(|after| format!("&after={after}")).unwrap_or_default();
            let request = self.request(Method::GET, &format!("{}?limit={limit}{cursor}", self.url))?;
            let answer = match granted.send(request, PATIENCE).await {
                Err(Fault::TooLarge) => match limits.next() {
                    Some(smaller) => {
                        limit = smaller;
                        continue;
                    }
                    None => return Err(no_answer(Fault::TooLarge)),
                },
                answer => answer.map_err(no_answer)?,
            };
            if answer.status() != StatusCode::OK {
                return Err(refused(answer.status(), "list the project's keys"));
            }
            let page: Value = serde_json::from_slice(answer.body().as_bytes()).map_err(|_| unexpected())?;
            let keys = page.get("data").and_then(Value::as_array).ok_or_else(unexpected)?;
            for key in keys {
                let key = Listed::of(key).ok_or_else(unexpected)?;
                if !seen.insert(key.id.clone()) || listed.len() >= MOST {
                    return Err(unexpected());
                }
                listed.push(key);
            }
            if page.get("has_more").and_then(Value::as_bool) != Some(true) {
                return Ok(listed);
            }
            // Without a key there is nothing to go on from.
            after = Some(listed.last().filter(|_| !keys.is_empty()).ok_or_else(unexpected)?.id.clone());
        }
    }

    /// Deletes one.
    pub(super) async fn delete(&self, id: &str) -> Result<(), Problem> {
        let url = format!("{}/{id}", self.url);
        let request = self.request(Method::DELETE, &url)?;
        let answer = self.granted("DELETE", &url)?.send(request, PATIENCE).await;
        let answer = answer.map_err(|fault| match fault {
            Fault::Unresolved
            | Fault::Refused
            | Fault::Unreachable
            | Fault::ConnectTimeout
            | Fault::Certificate => no_answer(fault),
            _ => unknown(id, &fault.to_string()),
        })?;
        if answer.status() != StatusCode::OK {
            return Err(refused(answer.status(), "delete the key"));
        }
        let said: Value = serde_json::from_slice(answer.body().as_bytes()).unwrap_or_default();
        if said.get("deleted").and_then(Value::as_bool) != Some(true)
            || said.get("id").and_then(Value::as_str) != Some(id)
        {
            return Err(unknown(id, "the answer does not say so"));
        }
        Ok(())
    }

    fn granted(&self, method: &str, url: &str) -> Result<Granted, Problem> {
        let grant = Grant::none().endpoint(Endpoint::new(method, url));
        Ok(Granted::new(Arc::clone(&self.network) as _, &grant)?)
    }

    fn request(&self, method: Method, url: &str) -> Result<Request<Body>, Problem> {
        let request = Request::builder().method(method).uri(url);
        let request = request
            .header(header::AUTHORIZATION, &self.authorization)
            .header(header::ACCEPT, "application/json")
            .body(Body::default());
        request.map_err(|_| {
            Problem::invalid(
                "field-url",
                "the URL of the Admin API cannot be used",
                "give an absolute https URL with `--admin-url`, such as https://api.openai.com/v1",
            )
        })
    }
}

impl Listed {
    /// `None` for what is not listed so, or could not stand in a URL.
    fn of(key: &Value) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let id = text("id")?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if id.is_empty() || id.len() > 128 || !id.bytes().all(plain) {
            return None;
        }
        let owner = key.get("owner");
        let kind = owner.and_then(|owner| owner.get("type")).and_then(Value::as_str);
        let account = owner.and_then(|owner| owner.get("service_account")).is_some_and(Value::is_object);
        Some(Self {
            id: id.to_owned(),
            redacted_value: text("redacted_value").unwrap_or_default().to_owned(),
            service_account: account || kind == Some("service_account"),
        })
    }
}

fn no_answer(fault: Fault) -> Problem {
    Problem::new(
        Class::Unavailable,
        "admin-unreachable",
        format!("the Admin API gave no answer: {fault}; nothing was deleted and nothing removed"),
        "try again later; a private CA is trusted with `--ca-cert FILE`",
    )
}

fn refused(status: StatusCode, what: &str) -> Problem {
    let (class, next) = match status.as_u16() {
        401 => (Class::Rejected, "check the Admin key: it may be deleted, or be no Admin key (sk-admin-...)"),
        403 => (Class::Rejected, "use an Admin key that may manage the keys of projects"),
        404 => (Class::Invalid, "check the project, and that the Admin key belongs to its organization"),
        429 | 500.. => (Class::Unavailable, "try again later"),
        _ => (
            Class::Failed,
            "delete the key in OpenAI's settings, and remove the connection without `--revoke`",
        ),
    };
    Problem::new(
        class,
        "admin-refused",
        format!(
            "the Admin API did not {what} (status {}); nothing was deleted and nothing removed",
            status.as_u16()
        ),
        next,
    )
}

fn unexpected() -> Problem {
    unclear(
        "the Admin API's list of keys is not one that can be understood; nothing was deleted",
        "check the URL of the Admin API; else delete the key in OpenAI's settings, and remove the connection without `--revoke`",
    )
}

fn unknown(id: &str, why: &str) -> Problem {
    Problem::new(
        Class::Failed,
        "revoke-unknown",
        format!("it is not known whether the key {id} is deleted now ({why}); the connection is still there"),
        "look in OpenAI's settings; once the key is gone, remove the connection without `--revoke`",
    )
}
