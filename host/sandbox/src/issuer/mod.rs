//! The cluster's token issuer: signs service account tokens and publishes its keys (OpenID Connect Discovery 1.0).

pub(crate) mod claims;
pub(crate) mod jwt;
pub(crate) mod keys;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::json;

use crate::answer;
use crate::body::Body;
use crate::service::{Answering, Service};
use crate::world::World;

/// Where a Kubernetes API server publishes its keys.
pub(crate) const JWKS_PATH: &str = "/openid/v1/jwks";

/// Where every issuer describes itself.
pub(crate) const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// The service: two public documents.
pub(crate) struct Issuer {
    world: Arc<World>,
}

impl Issuer {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world) }
    }

    fn route(&self, request: &Request<Bytes>) -> Response<Body> {
        let issuer = self.world.addresses.issuer();
        let document = match request.uri().path() {
            DISCOVERY_PATH => json!({
                "issuer": issuer,
                "jwks_uri": format!("{issuer}{JWKS_PATH}"),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [keys::ALGORITHM],
            }),
            JWKS_PATH => json!({"keys": self.world.keys.published()}),
            _ => return answer::not_found(),
        };
        if request.method() != Method::GET {
            return answer::method_not_allowed("GET");
        }
        answer::json(StatusCode::OK, &document)
    }
}

impl Service for Issuer {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move { self.route(&request) })
    }
}
