//! The admin endpoint: the sandbox's switches over plain HTTP, for people with curl and tests in other languages.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::answer;
use crate::body::Body;
use crate::exchange::refusal::ErrorShape;
use crate::faults::Fault;
use crate::issuer::claims::Claims;
use crate::openai_admin::call::OpenAiAdminCall;
use crate::service::{Answering, Service, ServiceName};
use crate::world::World;

/// Every call, with an example of its body.
pub(crate) const CALLS: &[(&str, &str, &str)] = &[
    ("GET", "/state", ""),
    ("GET", "/ca.pem", ""),
    ("GET", "/keyless.toml", ""),
    (
        "POST",
        "/faults",
        r#"{"service":"exchange","fault":{"kind":"status","status":503,"retry_after":{"seconds":5}},"times":3}"#,
    ),
    ("DELETE", "/faults", ""),
    ("GET", "/service-accounts", ""),
    ("POST", "/rotate-openai-admin-key", ""),
    ("POST", "/rotate-token", r#"{"lifetime_seconds":600}"#),
    ("POST", "/token-file", r#"{"content":"not a token"}"#),
    ("POST", "/rotate-keys", r#"{"keep_old":false}"#),
    ("POST", "/revoke", r#"{"generation":1}"#),
    ("POST", "/lifetime", r#"{"seconds":60}"#),
    ("POST", "/error-shape", r#"{"shape":"nested"}"#),
    ("POST", "/clock", r#"{"advance_seconds":3600}"#),
    ("POST", "/shutdown", ""),
];

/// The service.
pub(crate) struct Admin {
    world: Arc<World>,
}

/// `times` absent: until cleared. `on` absent: all requests of the party.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArmFault {
    service: ServiceName,
    on: Option<OpenAiAdminCall>,
    fault: Value,
    times: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RotateToken {
    lifetime_seconds: Option<u64>,
    age_seconds: Option<u64>,
    audience: Option<Vec<String>>,
    overrides: Map<String, Value>,
}

/// `content` null: the file goes away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenFile {
    #[serde(deserialize_with = "Option::deserialize")]
    content: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RotateKeys {
    keep_old: bool,
}

impl Default for RotateKeys {
    fn default() -> Self {
        Self { keep_old: true }
    }
}

/// `generation` absent: all tokens of OpenAI and Anthropic.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Revoke {
    generation: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lifetime {
    seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    shape: ErrorShape,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

impl Admin {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world) }
    }

    fn route(&self, request: &Request<Bytes>) -> Result<Response<Body>, AdminError> {
        check_caller(request)?;
        let world = &self.world;
        let done = match (request.method(), request.uri().path()) {
            (&Method::GET, "/state") => world.state(),
            (&Method::GET, "/ca.pem") => {
                return Ok(answer::typed(StatusCode::OK, "application/x-pem-file", world.ca_pem.clone()));
            }
            (&Method::GET, "/keyless.toml") => {
                return Ok(answer::typed(StatusCode::OK, "application/toml", world.documents().named()));
            }
            (&Method::POST, "/faults") => {
                required::<ArmFault>(request)?.arm(world)?;
                json!({"faults": world.faults.snapshot()})
            }
            (&Method::DELETE, "/faults") => {
                world.faults.clear(service_of(request.uri().query())?);
                json!({"faults": world.faults.snapshot()})
            }
            (&Method::POST, "/rotate-token") => {
                let claims =
                    optional::<RotateToken>(request)?.applied_to(Claims::of_workload(&world.options));
                world.rotate_token(&claims)?;
                json!({"token_file": world.volume.token_path()})
            }
            (&Method::POST, "/token-file") => {
                match required::<TokenFile>(request)?.content {
                    Some(content) => world.volume.write(content.as_bytes())?,
                    None => world.volume.remove()?,
                }
                json!({"token_file": world.volume.token_path()})
            }
            (&Method::POST, "/rotate-keys") => {
                let keep_old = optional::<RotateKeys>(request)?.keep_old;
                world.keys.rotate(keep_old).map_err(io::Error::other)?;
                json!({"keys": world.keys.kids()})
            }
            (&Method::POST, "/revoke") => {
                json!({"revoked": world.revoke(optional::<Revoke>(request)?.generation)})
            }
            (&Method::POST, "/lifetime") => {
                let seconds = required::<Lifetime>(request)?.seconds;
                world.set_access_token_lifetime(Duration::from_secs(seconds));
                json!({"access_token_lifetime_seconds": seconds})
            }
            (&Method::POST, "/error-shape") => {
                world.set_error_shape(required::<Shape>(request)?.shape);
                json!({"error_shape": world.error_shape()})
            }
            (&Method::POST, "/clock") => {
                world.clock.advance(Duration::from_secs(required::<Advance>(request)?.advance_seconds));
                json!({"now_ms": world.clock.now_ms()})
            }
            (&Method::GET, "/service-accounts") => json!(world.service_accounts.record()),
            (&Method::POST, "/rotate-openai-admin-key") => {
                world.admin_key.rotate()?;
                json!({"openai_admin_key_file": world.admin_key.file()})
            }
            (&Method::POST, "/shutdown") => {
                world.shutdown.cancel();
                json!({"stopping": true})
            }
            _ => return Err(AdminError::NoSuchCall),
        };
        Ok(answer::json(StatusCode::OK, &done))
    }
}

impl Service for Admin {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move {
            self.route(&request).unwrap_or_else(|error| error.answer(request.method(), request.uri().path()))
        })
    }
}

impl ArmFault {
    fn arm(self, world: &World) -> Result<(), AdminError> {
        let Self { service, on, fault, times } = self;
        let fault = Fault::from_json(&fault).map_err(AdminError::Bad)?;
        let wrong = |text: &str| Err(AdminError::Bad(text.to_owned()));
        if times == Some(0) {
            return wrong("`times` is 0; allowed: 1 or more, or absent for \"until cleared\"");
        }
        if service != ServiceName::Upstream {
            if on.is_some() {
                return wrong("`on` names a call of OpenAI's Admin API; allowed: with `service` `upstream`");
            }
            if fault.lag().is_some() {
                return wrong("only OpenAI's Admin API lags; allowed: with `service` `upstream`");
            }
        }
        world.faults.arm(service, on, fault, times);
        Ok(())
    }
}

impl RotateToken {
    fn applied_to(self, mut claims: Claims) -> Claims {
        claims.lifetime = self.lifetime_seconds.map_or(claims.lifetime, Duration::from_secs);
        claims.age = self.age_seconds.map_or(claims.age, Duration::from_secs);
        claims.audience = self.audience.unwrap_or(claims.audience);
        claims.overrides = self.overrides;
        claims
    }
}

enum AdminError {
    Bad(String),
    Foreign,
    NoSuchCall,
    Failed(io::Error),
}

impl From<io::Error> for AdminError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl AdminError {
    fn answer(self, method: &Method, path: &str) -> Response<Body> {
        let (status, error, message) = match self {
            Self::Bad(message) => (StatusCode::BAD_REQUEST, "bad_request", message),
            Self::Foreign => (
                StatusCode::FORBIDDEN,
                "foreign_caller",
                "Only calls to a loopback name, and none from a web page, are served.".to_owned(),
            ),
            Self::NoSuchCall => {
                (StatusCode::NOT_FOUND, "no_such_call", format!("There is no {method} {path}."))
            }
            Self::Failed(error) => (StatusCode::INTERNAL_SERVER_ERROR, "failed", error.to_string()),
        };
        let mut body = json!({"error": error, "message": message});
        if let Some(body) = body.as_object_mut() {
            let example =
                CALLS.iter().find(|call| call.0 == method.as_str() && call.1 == path).map(|call| call.2);
            match example {
                Some(example) if !example.is_empty() => {
                    body.insert("example".to_owned(), serde_json::from_str(example).unwrap_or_default());
                }
                Some(_) => {}
                None => {
                    let calls: Vec<String> =
                        CALLS.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
                    body.insert("allowed".to_owned(), json!(calls));
                }
            }
        }
        answer::json(status, &body)
    }
}

/// A web page that the developer visits must not be able to steer the sandbox: it would send its `Origin`, or, after
/// DNS rebinding, a foreign `Host`.
fn check_caller(request: &Request<Bytes>) -> Result<(), AdminError> {
    // HTTP/2 carries the host in the URI.
    let in_uri = request.uri().authority().map(Authority::as_str);
    let in_header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host: Option<Authority> = in_uri.or(in_header).and_then(|host| host.parse().ok());
    let name = host.as_ref().map_or("", Authority::host);
    if request.headers().contains_key(ORIGIN) || !matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
        return Err(AdminError::Foreign);
    }
    Ok(())
}

fn required<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, AdminError> {
    serde_json::from_slice(request.body()).map_err(|error| AdminError::Bad(error.to_string()))
}

fn optional<T: DeserializeOwned + Default>(request: &Request<Bytes>) -> Result<T, AdminError> {
    if request.body().is_empty() { Ok(T::default()) } else { required(request) }
}

/// `?service=exchange`; absent: all.
fn service_of(query: Option<&str>) -> Result<Option<ServiceName>, AdminError> {
    let Some(query) = query else { return Ok(None) };
    let wanted = query.strip_prefix("service=");
    match ServiceName::ALL.into_iter().find(|name| Some(name.as_str()) == wanted) {
        Some(name) => Ok(Some(name)),
        None => {
            let allowed: Vec<String> =
                ServiceName::ALL.iter().map(|name| format!("?service={name}")).collect();
            Err(AdminError::Bad(format!(
                "the query is not understood; allowed: none, {}",
                allowed.join(", ")
            )))
        }
    }
}
