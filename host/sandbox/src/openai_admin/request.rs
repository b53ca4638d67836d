//! Reads what comes with a call strictly: what the documentation does not name is refused.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Request, StatusCode};
use serde_json::{Map, Value};

use crate::upstream::api_error::ApiError;

/// The name of a key that was made without one.
const KEY_NAME: &str = "Secret Key";

/// In seconds: a year.
const LONGEST_LIFE_S: u64 = 31_536_000;

/// A service account that is wanted.
pub(super) struct NewAccount {
    pub(super) name: String,
    /// None: the account alone.
    pub(super) key: Option<NewKey>,
}

/// A key that is wanted.
pub(super) struct NewKey {
    pub(super) name: String,
    /// None: it does not expire.
    pub(super) expires_in_s: Option<u64>,
}

impl NewAccount {
    pub(super) fn read(request: &Request<Bytes>) -> Result<Self, ApiError> {
        check_query(request)?;
        let fields = fields(request)?;
        check_names(&fields, &["name", "create_service_account_only", "expires_in_seconds"])?;
        let name = match fields.get("name") {
            Some(Value::String(name)) if !name.is_empty() => name.clone(),
            None | Some(Value::Null) => return Err(missing("name")),
            Some(_) => return Err(mistyped("name", "a string that is not empty")),
        };
        let alone = match fields.get("create_service_account_only") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(alone)) => *alone,
            Some(_) => return Err(mistyped("create_service_account_only", "a boolean")),
        };
        let expires_in_s = expires_in_s(&fields)?;
        if alone && expires_in_s.is_some() {
            return Err(mistyped("expires_in_seconds", "null, for no key is made"));
        }
        let key = (!alone).then(|| NewKey { name: KEY_NAME.to_owned(), expires_in_s });
        Ok(Self { name, key })
    }
}

impl NewKey {
    /// A body may be absent: nothing in it is required.
    pub(super) fn read(request: &Request<Bytes>) -> Result<Self, ApiError> {
        check_query(request)?;
        let fields = if request.body().is_empty() { Map::new() } else { fields(request)? };
        check_names(&fields, &["name", "scopes", "expires_in_seconds"])?;
        let name = match fields.get("name") {
            None => KEY_NAME.to_owned(),
            Some(Value::String(name)) => name.clone(),
            Some(_) => return Err(mistyped("name", "a string")),
        };
        let are_texts =
            |scopes: &Value| scopes.as_array().is_some_and(|scopes| scopes.iter().all(Value::is_string));
        if !fields.get("scopes").is_none_or(are_texts) {
            return Err(mistyped("scopes", "an array of strings"));
        }
        Ok(Self { name, expires_in_s: expires_in_s(&fields)? })
    }
}

/// A call that consists of its path.
pub(super) fn check_bare(request: &Request<Bytes>) -> Result<(), ApiError> {
    check_query(request)?;
    check_no_body(request)
}

pub(super) fn check_no_body(request: &Request<Bytes>) -> Result<(), ApiError> {
    if request.body().is_empty() {
        return Ok(());
    }
    Err(ApiError::bad_request(None, "This call takes no body."))
}

fn check_query(request: &Request<Bytes>) -> Result<(), ApiError> {
    if request.uri().query().is_none() {
        return Ok(());
    }
    Err(ApiError::bad_request(None, "This call takes no query parameters."))
}

/// The JSON object that is the body.
fn fields(request: &Request<Bytes>) -> Result<Map<String, Value>, ApiError> {
    let headers = request.headers();
    if !headers.contains_key(CONTENT_LENGTH) {
        let message = "The request needs a Content-Length header.".to_owned();
        return Err(ApiError::refused(StatusCode::LENGTH_REQUIRED, None, message));
    }
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let message = "The Content-Type must be application/json.".to_owned();
        return Err(ApiError::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, None, message));
    }
    serde_json::from_slice(request.body())
        .map_err(|_| ApiError::bad_request(None, "We could not parse the JSON body of your request."))
}

fn check_names(fields: &Map<String, Value>, known: &[&str]) -> Result<(), ApiError> {
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(unknown) => {
            Err(ApiError::bad_request(None, &format!("Unrecognized request argument supplied: {unknown}")))
        }
    }
}

fn expires_in_s(fields: &Map<String, Value>) -> Result<Option<u64>, ApiError> {
    match fields.get("expires_in_seconds") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(seconds) if (1..=LONGEST_LIFE_S).contains(&seconds) => Ok(Some(seconds)),
            _ => Err(mistyped("expires_in_seconds", "an integer from 1 to 31536000")),
        },
    }
}

fn missing(name: &'static str) -> ApiError {
    ApiError::bad_request(Some(name), &format!("Missing required parameter: '{name}'."))
}

fn mistyped(name: &'static str, expected: &str) -> ApiError {
    ApiError::bad_request(Some(name), &format!("Invalid value for '{name}': expected {expected}."))
}
