//! The identity provider as the vendor knows it: an issuer, an audience, and the keys that the issuer publishes.
//!
//! The keys are really fetched: discovery document, then key set, kept for 600 s, and fetched again at once when a token
//! names a key that is not among them.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::ClientConfig;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::fetch::get_json;
use super::refusal::Refusal;
use crate::clock::Clock;
use crate::issuer::DISCOVERY_PATH;
use crate::issuer::curve::Curve;
use crate::issuer::jwt::{PublicKey, Unverified};

/// How long the key set is believed.
const KEYS_FRESH_MS: u64 = 600_000;

/// The provider.
pub(crate) struct IdentityProvider {
    issuer: String,
    audience: String,
    subject: String,
    tls: Arc<ClientConfig>,
    known_keys: Mutex<KnownKeys>,
}

#[derive(Default)]
struct KnownKeys {
    fetched_at_ms: Option<u64>,
    by_kid: HashMap<String, PublicKey>,
}

impl IdentityProvider {
    pub(crate) fn new(issuer: String, audience: String, subject: String, tls: Arc<ClientConfig>) -> Self {
        Self { issuer, audience, subject, tls, known_keys: Mutex::default() }
    }

    /// `sub` of the one workload that this issuer knows.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// The claims of a token that this provider's issuer signed for this vendor and that is in force now.
    pub(crate) async fn verify(&self, token: &str, clock: &Clock) -> Result<Map<String, Value>, Refusal> {
        let refuse = Refusal::SubjectToken;
        let token = Unverified::parse(token).ok_or(refuse("it is not a JWT"))?;
        match token.header("alg") {
            None => return Err(refuse("its header has no alg")),
            Some(algorithm) if Curve::of_algorithm(algorithm).is_some() => {}
            Some(_) => return Err(refuse("its alg is not supported")),
        }
        let kid = token.header("kid").ok_or(refuse("its header has no kid"))?;
        let key = self.key(kid, clock).await?.ok_or(refuse("its kid is unknown"))?;
        let claims = token.verify(&key).ok_or(refuse("its signature does not verify"))?;
        self.check(&claims, clock.now_s()).map_err(refuse)?;
        Ok(claims)
    }

    fn check(&self, claims: &Map<String, Value>, now_s: u64) -> Result<(), &'static str> {
        let issuer = claims.get("iss").and_then(Value::as_str).ok_or("iss is missing")?;
        if without_slash(issuer) != without_slash(&self.issuer) {
            return Err("iss is not the provider's issuer");
        }
        let audience_fits = match claims.get("aud") {
            Some(Value::String(audience)) => *audience == self.audience,
            Some(Value::Array(audiences)) => {
                audiences.iter().any(|audience| *audience == self.audience.as_str())
            }
            _ => return Err("aud is missing"),
        };
        if !audience_fits {
            return Err("aud is not the provider's audience");
        }
        if claims.get("sub").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err("sub is missing");
        }
        // Exact: seconds stay far below 2^53.
        let now_s = now_s as f64;
        let expires = claims.get("exp").and_then(Value::as_f64).ok_or("exp is missing")?;
        if expires <= now_s {
            return Err("it has expired");
        }
        claims.get("iat").and_then(Value::as_f64).ok_or("iat is missing")?;
        if claims.get("nbf").and_then(Value::as_f64).is_some_and(|not_before| not_before > now_s) {
            return Err("it is not valid yet");
        }
        Ok(())
    }

    async fn key(&self, kid: &str, clock: &Clock) -> Result<Option<PublicKey>, Refusal> {
        let mut known = self.known_keys.lock().await;
        let fresh = known.fetched_at_ms.is_some_and(|at| clock.now_ms().saturating_sub(at) < KEYS_FRESH_MS);
        if !(fresh && known.by_kid.contains_key(kid)) {
            known.by_kid = self.fetch_keys().await.map_err(Refusal::KeysUnavailable)?;
            known.fetched_at_ms = Some(clock.now_ms());
        }
        Ok(known.by_kid.get(kid).cloned())
    }

    async fn fetch_keys(&self) -> Result<HashMap<String, PublicKey>, String> {
        let discovery = get_json(&format!("{}{DISCOVERY_PATH}", self.issuer), &self.tls).await?;
        let described = discovery.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if without_slash(described) != without_slash(&self.issuer) {
            return Err("the discovery document names another issuer".to_owned());
        }
        let address = discovery.get("jwks_uri").and_then(Value::as_str);
        let set = get_json(address.ok_or("the discovery document has no jwks_uri")?, &self.tls).await?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or("the key set has no keys")?;
        Ok(keys
            .iter()
            .filter_map(|jwk| Some((jwk.get("kid")?.as_str()?.to_owned(), PublicKey::from_jwk(jwk)?)))
            .collect())
    }
}

/// Issuers are compared without regard to one trailing slash.
fn without_slash(url: &str) -> &str {
    url.strip_suffix('/').unwrap_or(url)
}
