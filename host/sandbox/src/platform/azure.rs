//! Azure's managed identity, in the two places where a workload finds it: the instance metadata service of a virtual
//! machine (Microsoft Learn, "How to use managed identities ... on an Azure VM to acquire an access token") and the
//! endpoint inside App Service, Functions and Container Apps ("REST endpoint reference").

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{Issued, Platform};
use crate::answer;
use crate::body::Body;
use crate::form::Form;
use crate::service::{Answering, Service};
use crate::world::World;

/// Where the instance metadata service gives tokens.
const IMDS_PATH: &str = "/metadata/identity/oauth2/token";

/// Where App Service gives tokens; each platform has a path of its own there, and names it in `IDENTITY_ENDPOINT`.
pub(crate) const APP_SERVICE_PATH: &str = "/msi/token";

/// The identity: principal, application, and its place among the tenant's resources.
pub(crate) const OBJECT_ID: &str = "5f0d7c8e-2f5b-4a0e-9c1d-1a2b3c4d5e6f";
pub(crate) const CLIENT_ID: &str = "0c9a1b52-7d3e-4f86-8b1a-9e8d7c6b5a40";
pub(crate) const RESOURCE_ID: &str = "/subscriptions/8d1e2f3a-4b5c-4d6e-8f70-112233445566/resourceGroups/sandbox/\
    providers/Microsoft.ManagedIdentity/userAssignedIdentities/app";
const TENANT_ID: &str = "c0ffee00-1234-4abc-8def-001122334455";

const IMDS_VERSIONS: &[&str] =
    &["2018-02-01", "2019-06-04", "2019-08-01", "2019-11-01", "2020-06-01", "2021-02-01"];
const APP_SERVICE_VERSIONS: &[&str] = &["2019-08-01"];

/// The ways to say which identity is meant, and who that is.
const IMDS_SELECTORS: &[(&str, &str)] =
    &[("client_id", CLIENT_ID), ("object_id", OBJECT_ID), ("msi_res_id", RESOURCE_ID)];
const APP_SERVICE_SELECTORS: &[(&str, &str)] = &[
    ("client_id", CLIENT_ID),
    ("principal_id", OBJECT_ID),
    ("object_id", OBJECT_ID),
    ("mi_res_id", RESOURCE_ID),
];

/// A day, as for managed identities, less the second that it took.
const LIFETIME_S: u64 = 86_399;

/// The service.
pub(crate) struct Azure {
    world: Arc<World>,
}

/// A status, a code, and a sentence.
struct Refusal(StatusCode, &'static str, String);

impl Azure {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world) }
    }

    fn route(&self, request: &Request<Bytes>) -> Response<Body> {
        let path = request.uri().path();
        if path != IMDS_PATH && path != APP_SERVICE_PATH {
            return answer::not_found();
        }
        if request.method() != Method::GET {
            return answer::method_not_allowed("GET");
        }
        if path == IMDS_PATH {
            self.instance(request).unwrap_or_else(|Refusal(status, error, description)| {
                answer::json(status, &json!({"error": error, "error_description": description}))
            })
        } else {
            self.app_service(request).unwrap_or_else(|Refusal(status, _, message)| {
                answer::json(status, &json!({"statusCode": status.as_u16(), "message": message}))
            })
        }
    }

    fn instance(&self, request: &Request<Bytes>) -> Result<Response<Body>, Refusal> {
        // What is sent on by a proxy does not come from the machine itself.
        if header(request.headers(), "metadata") != Some("true")
            || request.headers().contains_key("x-forwarded-for")
        {
            let text = "Required metadata header not specified".to_owned();
            return Err(Refusal(StatusCode::BAD_REQUEST, "bad_request_102", text));
        }
        let resource = asked(request, IMDS_VERSIONS, IMDS_SELECTORS)?;
        let Issued { token, now_s, expires_at_s } = self.issue(&resource)?;
        let lifetime = LIFETIME_S.to_string();
        let body = json!({
            "access_token": token,
            "client_id": CLIENT_ID,
            "expires_in": lifetime,
            "expires_on": expires_at_s.to_string(),
            "ext_expires_in": lifetime,
            "not_before": now_s.to_string(),
            "resource": resource,
            "token_type": "Bearer",
        });
        Ok(answer::json(StatusCode::OK, &body))
    }

    fn app_service(&self, request: &Request<Bytes>) -> Result<Response<Body>, Refusal> {
        let secret = &self.world.platforms.secrets.identity_header;
        if header(request.headers(), "x-identity-header") != Some(secret) {
            let text = "The X-IDENTITY-HEADER header does not hold IDENTITY_HEADER.".to_owned();
            return Err(Refusal(StatusCode::UNAUTHORIZED, "unauthorized", text));
        }
        let resource = asked(request, APP_SERVICE_VERSIONS, APP_SERVICE_SELECTORS)?;
        let Issued { token, expires_at_s, .. } = self.issue(&resource)?;
        let body = json!({
            "access_token": token,
            "client_id": CLIENT_ID,
            "expires_on": expires_at_s.to_string(),
            "resource": resource,
            "token_type": "Bearer",
        });
        Ok(answer::json(StatusCode::OK, &body))
    }

    fn issue(&self, resource: &str) -> Result<Issued, Refusal> {
        let own = json!({
            "appid": CLIENT_ID,
            "appidacr": "2",
            "idtyp": "app",
            "oid": OBJECT_ID,
            "tid": TENANT_ID,
            "ver": "1.0",
            "xms_mirid": RESOURCE_ID,
        });
        self.world.issue_as(Platform::Azure, &Value::String(resource.to_owned()), LIFETIME_S, own).map_err(
            |_| {
                Refusal(StatusCode::INTERNAL_SERVER_ERROR, "unknown", "Failed to retrieve a token".to_owned())
            },
        )
    }
}

impl Service for Azure {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move { self.route(&request) })
    }
}

/// The resource, which becomes `aud`, once the rest of the query is right.
fn asked(request: &Request<Bytes>, versions: &[&str], selectors: &[(&str, &str)]) -> Result<String, Refusal> {
    let bad = |text: String| Refusal(StatusCode::BAD_REQUEST, "invalid_request", text);
    let query =
        Form::of_query(request.uri()).map_err(|why| bad(format!("The query is malformed: {why}.")))?;
    match query.get("api-version") {
        None => return Err(bad("The request is missing the parameter api-version.".to_owned())),
        Some(version) if versions.contains(&version) => {}
        Some(_) => return Err(bad("This api-version is not supported.".to_owned())),
    }
    let known: Vec<&str> =
        selectors.iter().map(|(name, _)| *name).chain(["api-version", "resource"]).collect();
    if let Some(unknown) = query.beyond(&known) {
        return Err(bad(format!("The parameter {unknown} is not supported.")));
    }
    let given: Vec<_> = selectors.iter().filter_map(|(name, id)| Some((query.get(name)?, *id))).collect();
    match given.as_slice() {
        [] => {}
        // Identifiers are compared as Azure compares them: without regard to case.
        [(given, id)] if given.eq_ignore_ascii_case(id) => {}
        [_] => return Err(bad("Identity not found".to_owned())),
        _ => return Err(bad("Only one parameter may select the identity.".to_owned())),
    }
    match query.get("resource") {
        None | Some("") => Err(bad("Required audience parameter not specified".to_owned())),
        Some(resource) => Ok(resource.to_owned()),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
