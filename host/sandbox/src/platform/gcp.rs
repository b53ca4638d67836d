//! Google's metadata server, as far as it gives identity tokens (Google Cloud, "Verify the identity of a VM" and "Get an ID
//! token from the metadata server").

use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, SERVER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::Platform;
use crate::answer;
use crate::body::Body;
use crate::form::Form;
use crate::service::{Answering, Service};
use crate::world::World;

/// The one path that is served.
const IDENTITY_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";

/// The service account, by number and by name.
pub(crate) const UNIQUE_ID: &str = "104857600000000000001";
const EMAIL: &str = "app@sandbox.iam.gserviceaccount.com";

/// An hour.
const LIFETIME_S: u64 = 3_600;

/// By which both sides know that they are who they say: no browser sends it, and no captive portal answers with it.
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const GOOGLE: &str = "Google";

/// The service.
pub(crate) struct Gcp {
    world: Arc<World>,
}

impl Gcp {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world) }
    }

    fn route(&self, request: &Request<Bytes>) -> Response<Body> {
        let refuse = |status, text: &str| answer::typed(status, "text/html; charset=UTF-8", text.to_owned());
        if request.headers().get(FLAVOR).is_none_or(|flavor| flavor != GOOGLE) {
            return refuse(StatusCode::FORBIDDEN, "Missing Metadata-Flavor:Google header.");
        }
        if request.headers().contains_key("x-forwarded-for") {
            return refuse(StatusCode::FORBIDDEN, "Requests must not be forwarded.");
        }
        if request.uri().path() != IDENTITY_PATH {
            return refuse(StatusCode::NOT_FOUND, "Not found.");
        }
        if request.method() != Method::GET {
            return answer::method_not_allowed("GET");
        }
        match self.token(request) {
            Ok(token) => answer::typed(StatusCode::OK, "text/plain; charset=utf-8", token),
            Err((status, text)) => refuse(status, text),
        }
    }

    fn token(&self, request: &Request<Bytes>) -> Result<String, (StatusCode, &'static str)> {
        let bad = |text| (StatusCode::BAD_REQUEST, text);
        let query = Form::of_query(request.uri()).map_err(bad)?;
        if query.beyond(&["audience", "format", "licenses"]).is_some() {
            return Err(bad("unknown parameter"));
        }
        let audience = match query.get("audience") {
            None | Some("") => return Err(bad("non-empty audience parameter required")),
            Some(audience) => Value::String(audience.to_owned()),
        };
        let full = match query.get("format") {
            None | Some("standard") => false,
            Some("full") => true,
            Some(_) => return Err(bad("format must be standard or full")),
        };
        let licenses = match query.get("licenses") {
            None | Some("FALSE" | "false") => json!([]),
            Some("TRUE" | "true") => json!(["1002001"]),
            Some(_) => return Err(bad("licenses must be TRUE or FALSE")),
        };
        let account = json!({"azp": UNIQUE_ID, "email": EMAIL, "email_verified": true});
        let own = if full { with_machine(account, licenses) } else { account };
        let issued = self.world.issue_as(Platform::Gcp, &audience, LIFETIME_S, own);
        Ok(issued.map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "internal error"))?.token)
    }
}

impl Service for Gcp {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move {
            let mut response = self.route(&request);
            response.headers_mut().insert(FLAVOR, HeaderValue::from_static(GOOGLE));
            response.headers_mut().insert(SERVER, HeaderValue::from_static("Metadata Server for VM"));
            response
        })
    }
}

/// What `format=full` adds: the machine, and the licences of its images.
fn with_machine(mut account: Value, licenses: Value) -> Value {
    let machine = json!({
        "instance_creation_timestamp": 1_754_524_800,
        "instance_id": "4242424242424242424",
        "instance_name": "app",
        "license_id": licenses,
        "project_id": "sandbox",
        "project_number": 100_000_000_001_u64,
        "zone": "europe-west3-a",
    });
    if let Some(claims) = account.as_object_mut() {
        claims.insert("google".to_owned(), json!({"compute_engine": machine}));
    }
    account
}
