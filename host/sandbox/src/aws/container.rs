//! The keys of a container: of a task on Amazon ECS, whose address is the secret, and of a pod with EKS Pod Identity, which
//! shows a token ("Container credential provider", AWS SDKs reference guide).

use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request, Response, StatusCode};
use serde_json::json;

use super::ROLE_ARN;
use crate::answer;
use crate::body::Body;
use crate::service::{Answering, Service};
use crate::world::World;

/// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`.
pub(crate) const TASK_PATH: &str = "/v2/credentials/4f3c2b1a-0d9e-4c8b-a7f6-152637485960";

/// Path of `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
pub(crate) const POD_PATH: &str = "/v1/credentials";

/// Life of the keys, in seconds.
const KEYS_LIFETIME_S: u64 = 21_600;

/// The service.
pub(crate) struct Container {
    world: Arc<World>,
}

impl Container {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world) }
    }

    fn route(&self, request: &Request<Bytes>) -> Result<Response<Body>, (StatusCode, &'static str)> {
        let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        match request.uri().path() {
            TASK_PATH => {}
            // As it is, without a scheme.
            POD_PATH if token == Some(&self.world.platforms.secrets.pod_token) => {}
            POD_PATH => return Err((StatusCode::UNAUTHORIZED, "The Authorization token is not the pod's.")),
            _ => return Err((StatusCode::NOT_FOUND, "There are no credentials at this path.")),
        }
        if request.method() != Method::GET {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "Use GET here."));
        }
        let key = self.world.access_keys.issue(self.world.clock.now_s() + KEYS_LIFETIME_S);
        let failed = |_| (StatusCode::INTERNAL_SERVER_ERROR, "No keys could be made.");
        let mut body = key.map_err(failed)?.json();
        body.insert("RoleArn".to_owned(), json!(ROLE_ARN));
        Ok(answer::json(StatusCode::OK, &json!(body)))
    }
}

impl Service for Container {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move {
            self.route(&request).unwrap_or_else(|(status, message)| {
                answer::json(status, &json!({"code": status.canonical_reason(), "message": message}))
            })
        })
    }
}
