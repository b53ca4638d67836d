//! The status page: one document with everything in it, which asks for `/status.json` again and again.
//!
//! Its policy lets a browser run this script and this style, by their digests, and connect to this listener alone: nothing
//! that might get into the page could run, load or send anything (Content Security Policy Level 3, W3C).

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::answer;
use crate::service::Body;

const DOCUMENT: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

static PAGE: LazyLock<String> =
    LazyLock::new(|| DOCUMENT.replace("{{style}}", STYLE).replace("{{script}}", SCRIPT));

static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        digest(SCRIPT),
        digest(STYLE)
    )
});

/// The page.
pub(super) fn answer() -> Response<Body> {
    let Ok(policy) = HeaderValue::from_str(&POLICY) else {
        return answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = Response::new(answer::whole(PAGE.as_str()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// As a policy names an inline script or style.
fn digest(inline: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(inline)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_in_the_page_and_nothing_else_is_asked_for() {
        assert!(!PAGE.contains("{{"));
        for outside in ["src=", "@import", "url(", " style=", " onclick=", "innerHTML", "http://", "https://"]
        {
            let found = PAGE.replace("http://www.w3.org/2000/svg", "").contains(outside);
            assert!(!found, "{outside}");
        }
        // What stands between the tags is what the digests are of.
        assert!(PAGE.contains(&format!("<style>{STYLE}</style>")));
        assert!(PAGE.contains(&format!("<script type=\"module\">{SCRIPT}</script>")));
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
    }
}
