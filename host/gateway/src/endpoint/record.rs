//! A credential as JSON.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::answer;
use crate::connection::Credential;
use crate::moment::rfc3339;
use crate::service::Body;

/// What is not there is left out: External Secrets' webhook generator turns every member of an object into a key of a Secret,
/// and its older versions stop at `null`.
#[derive(Serialize)]
struct Record<'a> {
    /// By name, the values ready to be set. An object of texts: `jsonPath: $.headers` makes each a key of a Secret.
    #[serde(serialize_with = "by_name")]
    headers: &'a [(HeaderName, HeaderValue)],
    /// The bearer token without its scheme; absent when the API is opened in another way.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    /// The API that the headers open. They may be sent nowhere else.
    base_url: String,
    /// To be given back when the API answers 401.
    generation: u64,
    /// RFC 3339, UTC. Whoever keeps a copy asks again from then on. Absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    renew_at: Option<String>,
    /// RFC 3339, UTC. Absent: the credential does not expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// 200 and the credential. The bytes are wiped when they have been sent.
pub(super) fn answer(credential: &Credential) -> Response<Body> {
    let record = Record {
        headers: credential.headers(),
        token: credential.token(),
        base_url: credential.base_url().to_string(),
        generation: credential.generation(),
        renew_at: credential.renew_at().and_then(rfc3339),
        expires_at: credential.expires_at().and_then(rfc3339),
    };
    // Enough for everything, so that a growing buffer leaves no half-filled copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(2 * length(credential) + record.base_url.len() + 256));
    if let Err(reason) = serde_json::to_writer(&mut *text, &record) {
        let message = format!("the credential cannot be written as JSON: {reason}");
        return answer::error(StatusCode::INTERNAL_SERVER_ERROR, "endpoint-record", &message);
    }
    let mut response = Response::new(answer::whole(Bytes::from_owner(Wiped(text))));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn length(credential: &Credential) -> usize {
    credential.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 8).sum()
}

fn by_name<S: Serializer>(headers: &&[(HeaderName, HeaderValue)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(
        // A value that is no text cannot be in JSON.
        headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))),
    )
}

struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
