//! The issuer's signing keys: one that signs, and earlier ones that stay published as long as somebody may need them.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::error::Unspecified;
use ring::rand::SystemRandom;
use ring::signature::{EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::curve::Curve;
use crate::lock::lock;
use crate::sha256::Sha256;

/// One key pair, made at run time.
pub(crate) struct SigningKey {
    curve: Curve,
    pair: EcdsaKeyPair,
    kid: String,
    random: SystemRandom,
}

impl SigningKey {
    fn generate(curve: Curve) -> Result<Self, Unspecified> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(curve.signing(), &random)?;
        let pair =
            EcdsaKeyPair::from_pkcs8(curve.signing(), pkcs8.as_ref(), &random).map_err(|_| Unspecified)?;
        // As Kubernetes does: the key's own digest.
        let kid = URL_SAFE_NO_PAD.encode(Sha256::of(pair.public_key().as_ref()).bytes());
        Ok(Self { curve, pair, kid, random })
    }

    /// Its name in the key set.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// A compact JWS of these claims, under its own name.
    pub(crate) fn issue(&self, payload: &Value) -> Result<String, Unspecified> {
        self.sign(&json!({"alg": self.curve.algorithm(), "kid": self.kid, "typ": "JWT"}), payload)
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
        let length = self.curve.coordinate_length();
        let coordinate =
            |from: usize| URL_SAFE_NO_PAD.encode(point.get(from..from + length).unwrap_or_default());
        json!({
            "kty": "EC", "crv": self.curve.name(), "alg": self.curve.algorithm(), "use": "sig",
            "kid": self.kid, "x": coordinate(1), "y": coordinate(1 + length),
        })
    }
}

/// The keys in force.
pub(crate) struct KeyRing {
    curve: Curve,
    /// The one that signs, and the earlier ones.
    keys: Mutex<(Arc<SigningKey>, Vec<Arc<SigningKey>>)>,
}

impl KeyRing {
    pub(crate) fn new(curve: Curve) -> Result<Self, Unspecified> {
        Ok(Self { curve, keys: Mutex::new((Arc::new(SigningKey::generate(curve)?), Vec::new())) })
    }

    /// What they sign with.
    pub(crate) fn curve(&self) -> Curve {
        self.curve
    }

    /// The key that signs now.
    pub(crate) fn current(&self) -> Arc<SigningKey> {
        Arc::clone(&lock(&self.keys).0)
    }

    /// A new key signs from now on. The earlier ones stay published, or are dropped.
    pub(crate) fn rotate(&self, keep_old: bool) -> Result<(), Unspecified> {
        let new = Arc::new(SigningKey::generate(self.curve)?);
        let (current, earlier) = &mut *lock(&self.keys);
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
        let (current, earlier) = &*lock(&self.keys);
        std::iter::once(current).chain(earlier).map(|key| key.jwk()).collect()
    }

    /// The names of the published keys, the signing one first.
    pub(crate) fn kids(&self) -> Vec<String> {
        let (current, earlier) = &*lock(&self.keys);
        std::iter::once(current).chain(earlier).map(|key| key.kid().to_owned()).collect()
    }
}
