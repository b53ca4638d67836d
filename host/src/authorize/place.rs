//! The one place that a credential may go to: the origin of its API, at or below its path.

use http::Uri;
use http::uri::Scheme;

use crate::Error;

/// Whether `target` is at or below `base_url`.
///
/// # Errors
/// `request-elsewhere`. The message names origins and the base's path, never the target's path or query.
pub(super) fn check(base_url: &str, target: &Uri) -> Result<(), Error> {
    // What the component gave is an absolute URL; whatever it is, nothing is below what cannot be read.
    let base = base_url.parse::<Uri>().unwrap_or_default();
    let Some(origin) = Origin::of(target) else {
        return Err(elsewhere(format!(
            "the request's URI names no scheme and host; write it whole, such as {base_url}/models"
        )));
    };
    if Origin::of(&base).as_ref() != Some(&origin) {
        return Err(elsewhere(format!(
            "the request goes to {origin}, and the credential opens {base_url} alone; send it there, or with a client that \
             carries no credential"
        )));
    }
    let own = base.path().trim_end_matches('/');
    let rest = target.path().strip_prefix(own);
    if !rest.is_some_and(|rest| (rest.is_empty() || rest.starts_with('/')) && !climbs(rest)) {
        return Err(elsewhere(format!(
            "the request goes to {origin}, but not below {own}/, which is all that the credential opens; write a path below \
             {base_url}, without segments of dots"
        )));
    }
    Ok(())
}

/// Who is asked (RFC 6454, section 4).
#[derive(PartialEq, Eq)]
struct Origin {
    scheme: Scheme,
    /// In lower case.
    host: String,
    port: u16,
}

impl Origin {
    /// `None`: the URI is relative, or of a scheme that HTTP clients do not speak.
    fn of(uri: &Uri) -> Option<Self> {
        let scheme = uri.scheme()?.clone();
        let usual = if scheme == Scheme::HTTPS {
            443
        } else if scheme == Scheme::HTTP {
            80
        } else {
            return None;
        };
        let host = uri.host()?.to_ascii_lowercase();
        Some(Self { scheme, host, port: uri.port_u16().unwrap_or(usual) })
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { scheme, host, port } = self;
        write!(f, "{scheme}://{host}:{port}")
    }
}

/// Whether a server may read the path as one further up (RFC 3986, section 5.2.4), where it decodes before it resolves, too.
fn climbs(path: &str) -> bool {
    let decoded = if path.contains('%') {
        let lower = path.to_ascii_lowercase();
        lower.replace("%25", "%").replace("%2e", ".").replace("%2f", "/").replace("%5c", "/")
    } else {
        path.to_owned()
    };
    decoded.split(['/', '\\']).any(|segment| matches!(segment, "." | ".."))
}

fn elsewhere(message: String) -> Error {
    Error::invalid("request-elsewhere", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(base_url: &str, target: &str) -> Result<(), Error> {
        check(base_url, &target.parse().unwrap())
    }

    #[test]
    fn what_is_at_or_below_the_base_url_may_have_it() {
        for target in [
            "https://api.example/v1",
            "https://api.example/v1/",
            "https://api.example/v1/models?limit=2",
            "https://API.example:443/v1/files/a%2Fb/..c/%252",
        ] {
            assert_eq!(checked("https://api.example/v1", target), Ok(()), "{target}");
            assert_eq!(checked("https://api.example:443/v1/", target), Ok(()), "{target}");
        }
        assert_eq!(checked("https://api.example", "https://api.example/anything"), Ok(()));
        assert_eq!(checked("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/models"), Ok(()));
        assert_eq!(checked("http://[::1]:8080/v1", "http://[::1]:8080/v1/models"), Ok(()));
    }

    #[test]
    fn nothing_else_may() {
        for target in [
            "https://api.example.evil.example/v1/models",
            "https://evil.example/v1/models",
            "https://api.example@evil.example/v1/models",
            "http://api.example/v1/models",
            "https://api.example:8443/v1/models",
            "https://api.example/",
            "https://api.example/v2/models",
            "https://api.example/v10/models",
            "https://api.example/v1/../admin",
            "https://api.example/v1/%2e%2E/admin",
            "https://api.example/v1/x%2f..%2f..%2fadmin",
            "https://api.example/v1/x%5c..%5cadmin",
            "https://api.example/v1/%252e%252e/admin",
            "/v1/models",
            "*",
        ] {
            let error = checked("https://api.example/v1", target).unwrap_err();
            assert_eq!(error.code, "request-elsewhere", "{target}");
        }
        assert!(checked("", "https://api.example/v1").is_err());
    }

    #[test]
    fn the_error_holds_no_path_and_no_query() {
        let error =
            checked("https://api.example/v1", "https://evil.example/canary-1?key=canary-2").unwrap_err();
        assert!(error.message.contains("https://evil.example:443"), "{error}");
        assert!(!error.message.contains("canary"), "{error}");
    }
}
