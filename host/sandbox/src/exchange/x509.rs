//! The vendor's token endpoint for client certificates, on a host of its own: the identity is taken from the handshake, and
//! a request that also carries a token is refused (OpenAI's API reference, "Workload identity token exchange", X.509).

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::json;

use super::refusal::Refusal;
use super::request::CertificateRequest;
use super::{Exchange, TOKEN_PATH};
use crate::answer;
use crate::body::Body;
use crate::service::{Answering, Service};
use crate::world::World;

/// The service.
pub(crate) struct MutualTls {
    world: Arc<World>,
    exchange: Exchange,
}

/// What the client presented, among the extensions of a request. DER.
#[derive(Clone)]
pub(crate) struct PeerCertificate(pub(crate) Vec<u8>);

/// The identity provider for certificates.
pub(crate) fn provider_id(world: &World) -> String {
    format!("{}_x509", world.options.identity_provider_id)
}

impl MutualTls {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), exchange: Exchange::new(world) }
    }

    fn trade(&self, request: &Request<Bytes>) -> Result<Response<Body>, Refusal> {
        let certificate = request.extensions().get::<PeerCertificate>();
        let subject =
            certificate.and_then(|PeerCertificate(der)| self.world.client_certificates.subject(der));
        let subject = subject.ok_or(Refusal::SubjectToken("the certificate is not known"))?;
        let request = CertificateRequest::parse(request)?;
        if request.identity_provider_id != provider_id(&self.world) {
            return Err(Refusal::UnknownProvider);
        }
        self.exchange.authorize(subject, subject, &request.service_account_id)?;
        self.exchange.grant(self.world.access_token_lifetime().as_secs())
    }
}

impl Service for MutualTls {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move {
            if request.method() != Method::POST || request.uri().path() != TOKEN_PATH {
                return answer::json(StatusCode::FORBIDDEN, &json!({"error": "access_denied"}));
            }
            self.trade(&request).unwrap_or_else(|refusal| refusal.answer(self.world.error_shape()))
        })
    }
}
