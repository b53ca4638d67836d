//! The metadata service of an EC2 instance, version 2 only (EC2 user guide, "Use the Instance Metadata Service").

use std::sync::Arc;

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::json;

use super::{ROLE_NAME, timestamp};
use crate::answer;
use crate::body::Body;
use crate::service::{Answering, Service};
use crate::tokens::Bearer;
use crate::world::World;

const TOKEN_PATH: &str = "/latest/api/token";
const ROLES_PATH: &str = "/latest/meta-data/iam/security-credentials/";

const TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");

/// The longest life of a session with the service, in seconds.
const LONGEST_TTL_S: u64 = 21_600;

/// Life of the keys, in seconds.
const KEYS_LIFETIME_S: u64 = 21_600;

/// The service.
pub(crate) struct Instance {
    world: Arc<World>,
}

impl Instance {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world) }
    }

    fn route(&self, request: &Request<Bytes>) -> Result<Response<Body>, StatusCode> {
        let path = request.uri().path();
        let headers = request.headers();
        if path == TOKEN_PATH {
            if request.method() != Method::PUT {
                return Err(StatusCode::METHOD_NOT_ALLOWED);
            }
            // A proxy that is open to the world must not get at the role.
            if headers.contains_key("x-forwarded-for") {
                return Err(StatusCode::FORBIDDEN);
            }
            let ttl = headers.get(TTL).and_then(|value| value.to_str().ok()?.parse().ok());
            return self.session(ttl.ok_or(StatusCode::BAD_REQUEST)?);
        }
        let token = headers.get(TOKEN).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let now_ms = self.world.clock.now_ms();
        if !matches!(self.world.instance_sessions.judge(token, now_ms), Bearer::Token { .. }) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        if request.method() != Method::GET {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        match path.strip_prefix(ROLES_PATH) {
            Some("") => Ok(answer::typed(StatusCode::OK, "text/plain", ROLE_NAME)),
            Some(ROLE_NAME) => self.keys(),
            _ => Err(StatusCode::NOT_FOUND),
        }
    }

    fn session(&self, ttl_s: u64) -> Result<Response<Body>, StatusCode> {
        if !(1..=LONGEST_TTL_S).contains(&ttl_s) {
            return Err(StatusCode::BAD_REQUEST);
        }
        let ends_at_ms = self.world.clock.now_ms() + ttl_s * 1_000;
        let token = self.world.instance_sessions.issue(56, ends_at_ms);
        let token = token.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?.text;
        let mut response = answer::typed(StatusCode::OK, "text/plain", token.as_str().to_owned());
        response.headers_mut().insert(TTL, HeaderValue::from(ttl_s));
        Ok(response)
    }

    fn keys(&self) -> Result<Response<Body>, StatusCode> {
        let now_s = self.world.clock.now_s();
        let key = self.world.access_keys.issue(now_s + KEYS_LIFETIME_S);
        let mut body = key.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?.json();
        let updated = timestamp::written(now_s);
        for (name, value) in [("Code", "Success"), ("LastUpdated", &updated), ("Type", "AWS-HMAC")] {
            body.insert(name.to_owned(), json!(value));
        }
        // Not announced as JSON, which it is.
        Ok(answer::typed(StatusCode::OK, "text/plain", json!(body).to_string()))
    }
}

impl Service for Instance {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move {
            self.route(&request).unwrap_or_else(|status| {
                let title = status.canonical_reason().unwrap_or_default();
                answer::typed(
                    status,
                    "text/html",
                    format!("<html><head><title>{title}</title></head></html>"),
                )
            })
        })
    }
}
