//! AWS Signature Version 4 (IAM user guide, "Create a signed AWS API request"), as far as STS needs it: a request to `/`
//! without a query.

use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

use crate::hex::hex;
use crate::secret::Secret;
use crate::split;

use super::keys::Keys;

/// Everything that goes into a signature.
pub(super) struct Signing<'a> {
    pub(super) method: &'a str,
    /// Names in lower case and in their order; values as they are sent. `host` and `x-amz-date` are among them.
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
    /// `20150830T123600Z`, the same as in `x-amz-date`.
    pub(super) timestamp: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl Signing<'_> {
    /// The value of the `authorization` header.
    pub(super) fn authorization(&self, keys: &Keys) -> Secret {
        let Self { timestamp, region, service, .. } = self;
        let date = split::once(timestamp, "T").unwrap_or_default().0;
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let request = hex(&Sha256::digest(self.canonical_request().expose()));
        let text = format!("AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{request}");
        let mut key = hmac(keys.secret_access_key.prefixed("AWS4").expose().as_bytes(), date);
        for part in [region, service, "aws4_request"] {
            let next = hmac(&key, part);
            key.zeroize();
            key = next;
        }
        let signature = hex(&hmac(&key, &text));
        key.zeroize();
        Secret::new(format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
            keys.access_key_id.expose(),
            self.signed_headers()
        ))
    }

    fn signed_headers(&self) -> String {
        split::joined(&self.headers.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ";")
    }

    /// Holds the session token.
    fn canonical_request(&self) -> Secret {
        let signed = self.signed_headers();
        let lines: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        // Room for all of it beforehand: a string that grows leaves pieces of the token behind.
        let mut text = String::with_capacity(self.method.len() + lines + signed.len() + 128);
        text.push_str(self.method);
        text.push_str("\n/\n\n");
        for (name, value) in self.headers {
            for piece in [*name, ":", *value, "\n"] {
                text.push_str(piece);
            }
        }
        for piece in ["\n", &signed, "\n", &hex(&Sha256::digest(self.body))] {
            text.push_str(piece);
        }
        Secret::new(text)
    }
}

/// RFC 2104 over SHA-256.
fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut padded = [0; BLOCK];
    if key.len() > BLOCK {
        padded.iter_mut().zip(Sha256::digest(key)).for_each(|(slot, byte)| *slot = byte);
    } else {
        padded.iter_mut().zip(key).for_each(|(slot, byte)| *slot = *byte);
    }
    let keyed = |mask: u8| {
        let mut block = padded.map(|byte| byte ^ mask);
        let hash = Sha256::new().chain_update(block);
        block.zeroize();
        hash
    };
    let inner = keyed(0x36).chain_update(text).finalize();
    let outer = keyed(0x5c).chain_update(inner).finalize();
    padded.zeroize();
    outer.into()
}

#[cfg(test)]
mod tests;
