//! The issuers: what each says about itself and the keys that it publishes (OpenID Connect Discovery 1.0). The cluster's,
//! which signs service account tokens, stands at the root; those of the other platforms stand below their names.

pub(crate) mod claims;
pub(crate) mod curve;
pub(crate) mod jwt;
pub(crate) mod keys;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::json;

use crate::answer;
use crate::body::Body;
use crate::platform::Platform;
use crate::service::{Answering, Service};
use crate::world::World;

/// Where a Kubernetes API server publishes its keys.
pub(crate) const JWKS_PATH: &str = "/openid/v1/jwks";

/// Where every issuer describes itself.
pub(crate) const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// The service: two public documents for each issuer.
pub(crate) struct Issuer {
    world: Arc<World>,
}

impl Issuer {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world) }
    }

    fn route(&self, request: &Request<Bytes>) -> Response<Body> {
        let path = request.uri().path();
        let platform = Platform::ALL.into_iter().find_map(|platform| {
            let rest = path.strip_prefix('/')?.strip_prefix(platform.as_str())?;
            rest.starts_with('/').then_some((platform, rest))
        });
        let (issuer, keys, path) = match platform {
            Some((platform, rest)) => {
                (self.world.addresses.issuer_of(platform), self.world.platforms.keys(platform), rest)
            }
            None => (self.world.addresses.issuer(), &self.world.keys, path),
        };
        let document = match path {
            DISCOVERY_PATH => json!({
                "issuer": issuer,
                "jwks_uri": format!("{issuer}{JWKS_PATH}"),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [keys.curve().algorithm()],
            }),
            JWKS_PATH => json!({"keys": keys.published()}),
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
