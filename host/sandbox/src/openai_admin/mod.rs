//! OpenAI's Admin API, as far as service accounts and keys of a project go (OpenAI's API reference, "Project service
//! accounts" and "Project API keys"). Played at the address of the API.

mod account;
pub(crate) mod admin_key;
pub(crate) mod call;
mod from_rust;
mod key;
mod page;
pub(crate) mod refusal;
mod request;
pub(crate) mod service_accounts;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use serde_json::{Value, json};

pub use account::ServiceAccountRecord;

use self::call::{Asked, OpenAiAdminCall};
use self::page::{Item, Page};
use self::refusal::{READ_SCOPE, Refusal, WRITE_SCOPE};
use self::request::{NewAccount, NewKey};
use crate::answer;
use crate::bearer;
use crate::body::Body;
use crate::tokens::Bearer;
use crate::upstream::api_error::ApiError;
use crate::world::World;

/// The project that service accounts are made in.
pub(crate) const PROJECT_ID: &str = "proj_sandbox";

/// A project in which nothing can be done any more.
const ARCHIVED_PROJECT_ID: &str = "proj_sandbox_archived";

/// The static key, which is a person's.
const STATIC_KEY_ID: &str = "key_sandbox";

/// 2025-08-07, a date like any other.
const STATIC_KEY_CREATED_S: u64 = 1_754_524_800;

/// How late lists of service accounts learn of something. Comes with a request that suffers such a fault.
#[derive(Clone, Copy, Default)]
pub(crate) struct Lag {
    pub(crate) ms: u64,
}

pub(crate) fn answer(world: &World, request: &Request<Bytes>) -> Response<Body> {
    match carry_out(world, request) {
        Ok(done) => answer::json(StatusCode::OK, &done),
        Err(refusal) => refusal.answer(),
    }
}

fn carry_out(world: &World, request: &Request<Bytes>) -> Result<Value, Refusal> {
    let path = request.uri().path();
    let asked = Asked::of(request.method(), path);
    let Asked { call, project, id } = asked.ok_or_else(|| ApiError::no_such_call(request.method(), path))?;
    authorize(world, request.headers(), call)?;

    let accounts = &world.service_accounts;
    let now_ms = world.clock.now_ms();
    let lag = request.extensions().get::<Lag>().copied().unwrap_or_default();
    match call {
        OpenAiAdminCall::CreateServiceAccount => {
            let wanted = NewAccount::read(request)?;
            check_project(project)?;
            Ok(accounts.create(wanted, now_ms, lag)?)
        }
        OpenAiAdminCall::ListServiceAccounts => {
            let page = page(request)?;
            check_project(project)?;
            Ok(page.of(accounts.listed_at(now_ms.saturating_sub(lag.ms)))?)
        }
        OpenAiAdminCall::RetrieveServiceAccount => {
            request::check_bare(request)?;
            check_project(project)?;
            Ok(accounts.retrieve(id).ok_or_else(|| not_found("service account", id))?)
        }
        OpenAiAdminCall::DeleteServiceAccount => {
            request::check_bare(request)?;
            check_project(project)?;
            if !accounts.delete(id, now_ms, lag) {
                return Err(not_found("service account", id).into());
            }
            Ok(json!({"object": "organization.project.service_account.deleted", "id": id, "deleted": true}))
        }
        OpenAiAdminCall::CreateApiKey => {
            let wanted = NewKey::read(request)?;
            check_project(project)?;
            let made = accounts.create_key(id, wanted, now_ms);
            Ok(made.ok_or_else(|| not_found("service account", id))??)
        }
        OpenAiAdminCall::ListApiKeys => {
            let page = page(request)?;
            check_project(project)?;
            let keys = std::iter::once(static_key(world)).chain(accounts.keys());
            Ok(page.of(keys.collect())?)
        }
        OpenAiAdminCall::DeleteApiKey => {
            request::check_bare(request)?;
            check_project(project)?;
            let found = match id {
                STATIC_KEY_ID => world.tokens.delete_api_key(),
                _ => accounts.delete_key(id),
            };
            if !found {
                return Err(not_found("API key", id).into());
            }
            Ok(json!({"object": "organization.project.api_key.deleted", "id": id, "deleted": true}))
        }
    }
}

/// The Admin key alone opens it; a key or a token of a project does not, for all that it opens the rest of the API.
fn authorize(world: &World, headers: &HeaderMap, call: OpenAiAdminCall) -> Result<(), Refusal> {
    let missing = "You didn't provide an API key.";
    let bearer = bearer::of(headers).ok_or_else(|| ApiError::unauthorized(None, missing))?;
    if world.admin_key.fits(bearer) {
        return Ok(());
    }
    let is_key = world.tokens.judge(bearer, world.clock.now_ms()) == Bearer::ApiKey
        || world.service_accounts.knows(bearer, world.clock.now_ms());
    if is_key {
        return Err(Refusal::MissingScope(if call.reads() { READ_SCOPE } else { WRITE_SCOPE }));
    }
    Err(ApiError::unauthorized(Some("invalid_api_key"), "Incorrect API key provided.").into())
}

fn page(request: &Request<Bytes>) -> Result<Page, ApiError> {
    request::check_no_body(request)?;
    Page::read(request)
}

fn check_project(project: &str) -> Result<(), ApiError> {
    match project {
        PROJECT_ID => Ok(()),
        ARCHIVED_PROJECT_ID => Err(ApiError::bad_request(None, "The project is archived.")),
        _ => Err(not_found("project", project)),
    }
}

fn not_found(what: &str, id: &str) -> ApiError {
    ApiError::refused(StatusCode::NOT_FOUND, None, format!("No {what} has the id '{id}'."))
}

/// As lists have it.
fn static_key(world: &World) -> Item {
    let shown = json!({
        "object": "organization.project.api_key",
        "redacted_value": key::redacted(world.tokens.api_key()),
        "name": "Sandbox",
        "created_at": STATIC_KEY_CREATED_S,
        "last_used_at": null,
        "id": STATIC_KEY_ID,
        "owner_project_access": "active",
        "owner": {
            "type": "user",
            "user": {
                "id": "user_sandbox",
                "name": "Sandbox",
                "email": "sandbox@example.com",
                "role": "owner",
                "created_at": STATIC_KEY_CREATED_S,
            },
        },
    });
    Item { id: STATIC_KEY_ID.to_owned(), shown: (!world.tokens.api_key_is_deleted()).then_some(shown) }
}
