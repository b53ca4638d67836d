//! The service accounts of a project, as the Admin API tells of them. Strict: a list is whole or it is none, because what is
//! deleted is deleted by it.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::name::Name;
use super::{Minting, refusal};
use crate::error::{Code, Error};
use crate::exchange::body::Encoding;
use crate::io::{Io, Now, Request, Response};
use crate::json::{self, Map, Value};
use crate::secret::{Secret, SecretBytes};

/// From connecting to the last byte.
const TIMEOUT_MS: u64 = 10_000;

/// What hosts grant an answer. A page of fifty accounts takes some 20 KiB.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Of fifty accounts each. A project with more is not one that is looked through before every key.
const MOST_PAGES: usize = 200;

/// A project's accounts, for whoever has the Admin key.
pub(super) struct Accounts<'a> {
    io: &'a Io,
    url: String,
    project: &'a str,
    authorization: Secret,
}

/// An account with our mark.
pub(super) struct Marked {
    pub(super) id: String,
    pub(super) name: Name,
    pub(super) created_at_ms: u64,
}

/// All accounts with our mark.
pub(super) struct Listing {
    pub(super) marked: Vec<Marked>,
    /// Unix milliseconds by the clock of whoever answered.
    pub(super) their_now_ms: Option<u64>,
    /// What told these answers from all others.
    pub(super) particular: Vec<String>,
}

/// A new account and its key.
pub(super) struct Created {
    pub(super) id: String,
    pub(super) key: Secret,
    /// The moment before it was asked for.
    pub(super) anchor: Now,
}

/// What became of a creation that brought no key.
pub(super) enum NotCreated {
    /// There is no account.
    Refused(Error),
    /// There is an account of that id, and it is of no use.
    Useless(String, Error),
    /// There may be an account.
    Unknown(Error),
}

impl<'a> Accounts<'a> {
    /// Fetches the Admin key.
    pub(super) async fn open(minting: &'a Minting, io: &'a Io) -> Result<Self, Error> {
        let key = minting.admin_key.fetch(io, "the Admin key").await?;
        let authorization = key.prefixed("Bearer ");
        Ok(Self { io, url: minting.accounts_url(), project: &minting.project, authorization })
    }

    /// Every account, page by page. An error, and no list at all, when anything about it is doubtful.
    pub(super) async fn list(&self) -> Result<Listing, Error> {
        let mut listing = Listing { marked: Vec::new(), their_now_ms: None, particular: Vec::new() };
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let query = after.as_ref().map_or(String::new(), |after| format!("&after={after}"));
            let url = format!("{}?limit=50{query}", self.url);
            let response = self.ask("GET", url, None).await?;
            if response.status != 200 {
                return Err(self.refused(&response, "list service accounts"));
            }
            listing.particular.extend(particular(&response));
            let page = page(&response.body)?;
            if page.more && (page.last.is_none() || page.last == after) {
                return Err(doubtful("says that there is more, and not after which account"));
            }
            for (id, name, created_at_ms) in page.accounts {
                let known = listing.marked.iter().any(|marked| marked.id == id);
                if let Some(name) = Name::parse(&name, self.project).filter(|_| !known) {
                    listing.marked.push(Marked { id, name, created_at_ms });
                }
            }
            if !page.more {
                listing.their_now_ms = self.io.their_wall_ms();
                return Ok(listing);
            }
            after = page.last;
        }
        Err(doubtful("has more than 10000 accounts; delete some, or use a project of its own"))
    }

    /// A new account by that name.
    pub(super) async fn create(&self, name: &str) -> Result<Created, NotCreated> {
        let body = Encoding::Json.write(&[("name", name)]);
        let anchor = self.io.now();
        let response = self.ask("POST", self.url.clone(), Some(body)).await.map_err(|error| {
            match error.code() {
                // It never left.
                Code::EndpointDenied
                | Code::EndpointUnresolved
                | Code::EndpointUntrusted
                | Code::ClientCertificate => NotCreated::Refused(error),
                _ => NotCreated::Unknown(error),
            }
        })?;
        match response.status {
            200 | 201 => created(&response.body, name, anchor),
            300..=407 | 409..=499 => {
                Err(NotCreated::Refused(self.refused(&response, "create a service account")))
            }
            _ => Err(NotCreated::Unknown(self.refused(&response, "create a service account"))),
        }
    }

    /// Deletes an account. One that is not there any more is deleted.
    pub(super) async fn delete(&self, id: &str) -> Result<(), Error> {
        let response = self.ask("DELETE", format!("{}/{id}", self.url), None).await?;
        match response.status {
            200 | 204 | 404 | 410 => Ok(()),
            _ => Err(self.refused(&response, "delete a service account")),
        }
    }

    async fn ask(
        &self,
        method: &'static str,
        url: String,
        body: Option<SecretBytes>,
    ) -> Result<Response, Error> {
        let mut headers = vec![
            ("authorization", self.authorization.prefixed("")),
            ("accept", Secret::new("application/json".to_owned())),
        ];
        if body.is_some() {
            headers.push(("content-type", Secret::new(Encoding::Json.content_type().to_owned())));
        }
        let body = body.unwrap_or_default();
        headers.push(("content-length", Secret::new(body.len().to_string())));
        let response_limit = ANSWER_LIMIT;
        let request = Request { method, url, headers, body, timeout_ms: TIMEOUT_MS, response_limit };
        self.io.send(request).await.map_err(|fault| refusal::of_fault(fault, method, &self.url))
    }

    fn refused(&self, response: &Response, what: &str) -> Error {
        refusal::of_response(response, self.io.now(), what, self.project)
    }
}

struct Page {
    accounts: Vec<(String, String, u64)>,
    last: Option<String>,
    more: bool,
}

fn page(body: &[u8]) -> Result<Page, Error> {
    let body = json::parse(body).map_err(|_| doubtful("is not JSON"))?;
    let Some(Value::Array(data)) = body.get("data") else { return Err(doubtful("has no `data`")) };
    if body.get("object").and_then(Value::as_str) != Some("list") {
        return Err(doubtful("is no list"));
    }
    let Some(Value::Bool(more)) = body.get("has_more") else { return Err(doubtful("has no `has_more`")) };
    let mut accounts = Vec::with_capacity(data.len());
    for entry in data {
        accounts.push(account(entry).ok_or_else(|| doubtful("has an entry that is no account"))?);
    }
    let last = accounts.last().map(|(id, _, _)| id.clone());
    Ok(Page { accounts, last, more: *more })
}

fn account(entry: &Value) -> Option<(String, String, u64)> {
    let id = plain_id(entry.get("id")?)?;
    let name = match entry.get("name") {
        Some(Value::String(name)) => name.clone(),
        // Nobody's, as far as we are concerned.
        None | Some(Value::Null) => String::new(),
        Some(_) => return None,
    };
    Some((id, name, seconds_as_ms(entry.get("created_at")?)?))
}

/// Only an answer about the account of that name tells of it: by what is not, nothing may be deleted.
fn created(body: &[u8], name: &str, anchor: Now) -> Result<Created, NotCreated> {
    let unusable = |fault: &str| {
        Error::new(
            Code::ResponseToken,
            format_args!(
                "the Admin API created a service account, but {fault}; it is deleted, and another created"
            ),
        )
    };
    let Ok(Value::Object(mut answer)) = json::parse(body) else {
        return Err(NotCreated::Unknown(unusable("its answer is not a JSON object")));
    };
    if answer.get("name").and_then(Value::as_str) != Some(name) {
        return Err(NotCreated::Unknown(unusable("its answer is not about the account that was asked for")));
    }
    let Some(id) = answer.get("id").and_then(plain_id) else {
        return Err(NotCreated::Unknown(unusable("its answer has no `id`")));
    };
    let key = match answer.remove("api_key") {
        Some(Value::Object(mut key)) => take_text(&mut key, "value").map(Secret::new),
        _ => None,
    };
    match key.filter(Secret::fits_header) {
        Some(key) => Ok(Created { id, key, anchor }),
        None => Err(NotCreated::Useless(id, unusable("its answer has no key that can stand in a header"))),
    }
}

fn take_text(map: &mut Map, name: &str) -> Option<String> {
    match map.remove(name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// One that can stand in a path and is nothing but a name.
fn plain_id(value: &Value) -> Option<String> {
    let id = value.as_str()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    ((1..=128).contains(&id.len()) && id.bytes().all(plain)).then(|| id.to_owned())
}

fn seconds_as_ms(value: &Value) -> Option<u64> {
    let seconds = value.as_f64().filter(|seconds| seconds.is_finite() && (0.0..1e11).contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was just checked")]
    Some(seconds as u64 * 1_000)
}

/// What no other answer has: the request's id, else at least the moment and the accounts.
fn particular(response: &Response) -> impl Iterator<Item = String> {
    ["x-request-id", "cf-ray", "date"].into_iter().filter_map(|name| response.header(name).map(str::to_owned))
}

fn doubtful(fault: &str) -> Error {
    Error::new(
        Code::AccountsDoubtful,
        format_args!(
            "the Admin API's list of service accounts {fault}; nothing is created or deleted on its word. Check `host`, and what stands between"
        ),
    )
}
