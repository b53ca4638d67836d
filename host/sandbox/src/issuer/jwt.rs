//! Takes a compact JWT apart and checks its signature: the reader's side, used by the token endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::UnparsedPublicKey;
use serde_json::{Map, Value};

use super::curve::Curve;

/// A token whose signature nobody has checked yet.
pub(crate) struct Unverified<'a> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// None if it is not three base64url parts of which the first two are JSON objects.
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self {
            header: object(header)?,
            claims: object(claims)?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// A text field of the header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }

    /// The claims, if `key` signed them.
    pub(crate) fn verify(self, key: &PublicKey) -> Option<Map<String, Value>> {
        if self.header("alg") != Some(key.curve.algorithm()) {
            return None;
        }
        UnparsedPublicKey::new(key.curve.verifying(), &key.point)
            .verify(self.signed.as_bytes(), &self.signature)
            .ok()
            .map(|()| self.claims)
    }
}

/// A key that verifies.
#[derive(Clone)]
pub(crate) struct PublicKey {
    curve: Curve,
    /// Uncompressed: 0x04, x, y.
    point: Vec<u8>,
}

impl PublicKey {
    /// Reads a JWK (RFC 7518, section 6.2.1). None if it is not a key on a curve that we know.
    pub(crate) fn from_jwk(jwk: &Value) -> Option<Self> {
        if jwk.get("kty")? != "EC" {
            return None;
        }
        let curve = Curve::named(jwk.get("crv")?.as_str()?)?;
        let mut point = vec![4];
        for coordinate in ["x", "y"] {
            point.extend(URL_SAFE_NO_PAD.decode(jwk.get(coordinate)?.as_str()?).ok()?);
        }
        (point.len() == 1 + 2 * curve.coordinate_length()).then_some(Self { curve, point })
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
