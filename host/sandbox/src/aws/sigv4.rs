//! Checks a signature of version 4 to the byte (IAM user guide, "Create a signed AWS API request"): the request is put
//! into its canonical form again, from what arrived.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{HeaderMap, Request};
use ring::hmac;

use super::keys::{AccessKey, AccessKeys};
use super::refusal::Refusal;
use super::{REGION, timestamp};
use crate::sha256::Sha256;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "sts";

/// How far the two clocks may be apart, in seconds.
const SKEW_S: u64 = 15 * 60;

/// The keys that signed the request.
pub(super) fn verify(request: &Request<Bytes>, keys: &AccessKeys, now_s: u64) -> Result<AccessKey, Refusal> {
    let headers = request.headers();
    let Some(authorization) = headers.get(AUTHORIZATION) else {
        return Err(Refusal::forbidden(
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        ));
    };
    let signed = Authorization::parse(authorization.to_str().unwrap_or_default())?;
    let moment = text(headers, "x-amz-date").ok_or(incomplete("X-Amz-Date is missing."))?;
    let signed_at_s =
        timestamp::read(moment).ok_or(incomplete("X-Amz-Date is not of the form 20060102T150405Z."))?;
    signed.check_scope(moment)?;
    if signed_at_s.abs_diff(now_s) > SKEW_S {
        let which = if signed_at_s < now_s { "Signature expired." } else { "Signature not yet current." };
        return Err(mismatch(which));
    }
    signed.check_headers(headers)?;

    let unknown = "The security token included in the request is invalid.";
    let key = keys.find(signed.key_id).ok_or(Refusal::forbidden("InvalidClientTokenId", unknown))?;
    let token = text(headers, "x-amz-security-token");
    if token != key.session.as_ref().map(|session| session.token.as_str()) {
        return Err(Refusal::forbidden("InvalidClientTokenId", unknown));
    }
    if key.session.as_ref().is_some_and(|session| session.expires_at_s <= now_s) {
        let expired = "The security token included in the request is expired";
        return Err(Refusal::forbidden("ExpiredToken", expired));
    }
    let to_sign = string_to_sign(moment, &signed.scope(), &signed.canonical(request)?);
    if signature(&key.secret, &signed, &to_sign) != signed.signature {
        return Err(mismatch(
            "The request signature we calculated does not match the signature you provided.",
        ));
    }
    Ok(key)
}

/// The header, taken apart.
struct Authorization<'a> {
    key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Result<Self, Refusal> {
        const MALFORMED: &str =
            "Authorization is not AWS4-HMAC-SHA256 with Credential, SignedHeaders and Signature.";
        let parts = || {
            let rest = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
            let [credential, headers, signature] =
                <[&str; 3]>::try_from(rest.split(',').map(str::trim).collect::<Vec<_>>()).ok()?;
            let credential = credential.strip_prefix("Credential=")?.split('/').collect::<Vec<_>>();
            let [key_id, date, region, service, "aws4_request"] = <[&str; 5]>::try_from(credential).ok()?
            else {
                return None;
            };
            let headers = headers.strip_prefix("SignedHeaders=")?.split(';').collect();
            let signature = signature.strip_prefix("Signature=")?;
            Some(Self { key_id, date, region, service, headers, signature })
        };
        parts().ok_or(incomplete(MALFORMED))
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }

    fn check_scope(&self, moment: &str) -> Result<(), Refusal> {
        if moment.split('T').next() != Some(self.date) {
            return Err(mismatch("Date in Credential scope does not match YYYYMMDD from X-Amz-Date."));
        }
        if self.region != REGION {
            return Err(mismatch("Credential should be scoped to a valid region."));
        }
        if self.service != SERVICE {
            return Err(mismatch("Credential should be scoped to correct service: sts."));
        }
        Ok(())
    }

    /// What decides about the request has to be signed with it.
    fn check_headers(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let sorted = self.headers.iter().zip(self.headers.iter().skip(1)).all(|(one, next)| one < next);
        if !sorted || self.headers.iter().any(|name| name.bytes().any(|byte| byte.is_ascii_uppercase())) {
            return Err(mismatch("SignedHeaders are not in lower case, sorted and each there once."));
        }
        let decisive = |name: &str| name.starts_with("x-amz-") || name == CONTENT_TYPE.as_str();
        let mut needed =
            headers.keys().map(http::HeaderName::as_str).filter(|name| decisive(name)).chain(["host"]);
        if needed.any(|name| !self.headers.contains(&name)) {
            return Err(mismatch("Host, Content-Type or an X-Amz header must be a signed header."));
        }
        Ok(())
    }

    fn canonical(&self, request: &Request<Bytes>) -> Result<String, Refusal> {
        let mut lines = String::new();
        for name in &self.headers {
            let value = canonical_value(request, name).ok_or(mismatch("A signed header is not there."))?;
            lines.push_str(&format!("{name}:{value}\n"));
        }
        let payload = Sha256::of(request.body()).hex();
        if text(request.headers(), "x-amz-content-sha256").is_some_and(|announced| announced != payload) {
            return Err(mismatch("X-Amz-Content-SHA256 is not the digest of the body."));
        }
        // Path and query are known to be `/` and empty.
        Ok(format!("{}\n/\n\n{lines}\n{}\n{payload}", request.method(), self.headers.join(";")))
    }
}

/// Trimmed, with single spaces; several values with commas between them.
fn canonical_value(request: &Request<Bytes>, name: &str) -> Option<String> {
    // HTTP/2 carries the host in the URI.
    if name == HOST.as_str()
        && let Some(authority) = request.uri().authority().map(Authority::as_str)
    {
        return Some(authority.to_owned());
    }
    let mut values = Vec::new();
    for value in request.headers().get_all(name) {
        values.push(value.to_str().ok()?.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    }
    (!values.is_empty()).then(|| values.join(","))
}

fn string_to_sign(moment: &str, scope: &str, canonical: &str) -> String {
    format!("{ALGORITHM}\n{moment}\n{scope}\n{}", Sha256::of(canonical.as_bytes()).hex())
}

fn signature(secret: &str, signed: &Authorization<'_>, to_sign: &str) -> String {
    let mac = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let mut key = mac(format!("AWS4{secret}").as_bytes(), signed.date);
    for part in [signed.region, signed.service, "aws4_request"] {
        key = mac(key.as_ref(), part);
    }
    mac(key.as_ref(), to_sign).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn incomplete(message: &'static str) -> Refusal {
    Refusal::forbidden("IncompleteSignature", message)
}

fn mismatch(message: &'static str) -> Refusal {
    Refusal::forbidden("SignatureDoesNotMatch", message)
}

#[cfg(test)]
mod tests {
    use super::{Authorization, signature, string_to_sign};

    /// The worked example of AWS's documentation.
    #[test]
    fn the_documented_signature() -> Result<(), super::Refusal> {
        let signed = Authorization::parse(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, Signature=x",
        )?;
        let canonical = "GET\n/\nAction=ListUsers&Version=2010-05-08\n\
                         content-type:application/x-www-form-urlencoded; charset=utf-8\nhost:iam.amazonaws.com\n\
                         x-amz-date:20150830T123600Z\n\ncontent-type;host;x-amz-date\n\
                         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let to_sign = string_to_sign("20150830T123600Z", &signed.scope(), canonical);
        assert_eq!(
            signature("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", &signed, &to_sign),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
        Ok(())
    }
}
