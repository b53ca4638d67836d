//! The issuer's signing keys: one that signs, and earlier ones that stay published as long as somebody may need them.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::error::Unspecified;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::lock::lock;
use crate::sha256::Sha256;

/// The only algorithm (RFC 7518, section 3.4): ECDSA on P-256 with SHA-256.
pub(crate) const ALGORITHM: &str = "ES256";

/// One key pair, made at run time.
pub(crate) struct SigningKey {
    pair: EcdsaKeyPair,
    kid: String,
    random: SystemRandom,
}

impl SigningKey {
    fn generate() -> Result<Self, Unspecified> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
            .map_err(|_| Unspecified)?;
        // As Kubernetes does: the key's own digest.
        let kid = URL_SAFE_NO_PAD.encode(Sha256::of(pair.public_key().as_ref()).bytes());
        Ok(Self { pair, kid, random })
    }

    /// Its name in the key set.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// A compact JWS of whatever it is given (RFC 7515, section 7.1).
    pub(crate) fn sign(&self, header: &Value, payload: &Value) -> Result<String, Unspecified> {
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(payload.to_string()));
        let signature = self.pair.sign(&self.random, token.as_bytes())?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature.as_ref()));
        Ok(token)
    }

    /// Its public half (RFC 7517).
    fn jwk(&self) -> Value {
        // Uncompressed point: 0x04, x, y.
        let point = self.pair.public_key().as_ref();
        let coordinate = |from: usize| URL_SAFE_NO_PAD.encode(point.get(from..from + 32).unwrap_or_default());
        json!({
            "kty": "EC", "crv": "P-256", "alg": ALGORITHM, "use": "sig",
            "kid": self.kid, "x": coordinate(1), "y": coordinate(33),
        })
    }
}

/// The keys in force. The last one signs.
pub(crate) struct KeyRing(Mutex<(Arc<SigningKey>, Vec<Arc<SigningKey>>)>);

impl KeyRing {
    pub(crate) fn new() -> Result<Self, Unspecified> {
        Ok(Self(Mutex::new((Arc::new(SigningKey::generate()?), Vec::new()))))
    }

    /// The key that signs now.
    pub(crate) fn current(&self) -> Arc<SigningKey> {
        Arc::clone(&lock(&self.0).0)
    }

    /// A new key signs from now on. The earlier ones stay published, or are dropped.
    pub(crate) fn rotate(&self, keep_old: bool) -> Result<(), Unspecified> {
        let new = Arc::new(SigningKey::generate()?);
        let (current, earlier) = &mut *lock(&self.0);
        let old = std::mem::replace(current, new);
        if keep_old {
            earlier.push(old);
        } else {
            earlier.clear();
        }
        Ok(())
    }

    /// The public keys, the signing one first.
    pub(crate) fn published(&self) -> Vec<Value> {
        let (current, earlier) = &*lock(&self.0);
        std::iter::once(current).chain(earlier).map(|key| key.jwk()).collect()
    }

    /// The names of the published keys, the signing one first.
    pub(crate) fn kids(&self) -> Vec<String> {
        let (current, earlier) = &*lock(&self.0);
        std::iter::once(current).chain(earlier).map(|key| key.kid().to_owned()).collect()
    }
}
