//! Who may use a listener, decided for every request.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use zeroize::Zeroizing;

use crate::Fault;
use crate::answer;
use crate::config::{Access, Address, Bearer};
use crate::service::{Body, Peer};

/// Where a client may put the bearer: where the SDKs of these APIs put a key.
const BEARERS: [&str; 3] = ["authorization", "x-api-key", "api-key"];

/// Decides who may use a listener.
pub(crate) struct Guard {
    bearer: Option<Expected>,
    users: Option<Vec<u32>>,
    /// Whether requests that a web page could cause are turned away: on TCP, where no bearer stops them.
    web_pages: Option<Vec<String>>,
}

/// Why a request is turned away. Boxed: it is the rare case.
type Refusal = Box<Response<Body>>;

impl Guard {
    /// # Errors
    /// `bearer-file` when there is no usable bearer in the file.
    pub(crate) fn new(access: &Access, listen: &Address) -> Result<Self, Fault> {
        let file = access.bearer_file.clone().map(BearerFile::open).transpose()?.map(Expected::File);
        let bearer = access.bearer.clone().map(Expected::Given).or(file);
        let over_tcp = !matches!(listen, Address::Unix(_));
        let web_pages = (over_tcp && bearer.is_none() && !access.anyone).then(|| access.hosts.clone());
        Ok(Self { bearer, users: access.users.clone(), web_pages })
    }

    /// Lets the request in, or says why not.
    pub(crate) fn admit<B>(&self, peer: &Peer, request: &Request<B>) -> Result<(), Refusal> {
        if let (Some(users), Peer::Unix(user)) = (&self.users, peer)
            && !user.is_some_and(|user| users.contains(&user))
        {
            return Err(refusal(
                StatusCode::FORBIDDEN,
                "access-user",
                "this user may not use this socket; add its numeric id to access.users",
            ));
        }
        if let Some(bearer) = &self.bearer
            && !bearer.is_presented(request.headers())
        {
            return Err(refusal(
                StatusCode::UNAUTHORIZED,
                "access-bearer",
                "this listener wants its own bearer; send the content of its bearer_file as `authorization: Bearer ...`",
            ));
        }
        if let (Some(hosts), Peer::Tcp(_)) = (&self.web_pages, peer) {
            // No browser speaks HTTP/2 without TLS. Envoy does, and calls the host by the name of its cluster.
            return if request.version() == Version::HTTP_2 {
                Ok(())
            } else {
                from_a_program(request, hosts)
            };
        }
        Ok(())
    }
}

/// A web page can make a browser send requests to loopback, under any name that its author lets point there. Browsers say so:
/// by `Host`, by `Origin` and by `Sec-Fetch-Site` (Fetch Metadata Request Headers, W3C).
fn from_a_program<B>(request: &Request<B>, hosts: &[String]) -> Result<(), Refusal> {
    let headers = request.headers();
    let named = request.uri().authority().cloned();
    let host = named.or_else(|| headers.get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok()));
    let Some(host) = host else {
        return Err(refusal(StatusCode::BAD_REQUEST, "host-missing", "the request names no host"));
    };
    let bare = host.host().trim_start_matches('[').trim_end_matches(']');
    let expected = bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok()
        || hosts.iter().any(|name| name.eq_ignore_ascii_case(bare));
    if !expected {
        return Err(refusal(
            StatusCode::FORBIDDEN,
            "host-unexpected",
            "this listener is called by an address or `localhost`; add the name to access.hosts if it is yours",
        ));
    }
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    let same_origin = origin.is_none_or(|origin| {
        origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host.as_str()))
    });
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if !same_origin || matches!(site, Some("cross-site" | "same-site")) {
        return Err(refusal(
            StatusCode::FORBIDDEN,
            "web-page",
            "a web page of another origin made this request; programs alone may use this listener",
        ));
    }
    Ok(())
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Refusal {
    Box::new(answer::error(status, code, message))
}

/// What clients have to present.
enum Expected {
    Given(Bearer),
    File(BearerFile),
}

impl Expected {
    fn is_presented(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::Given(bearer) => presented(headers).any(|presented| bearer.is(presented)),
            Self::File(file) => {
                let bearer = file.current();
                presented(headers).any(|presented| bearer.is(presented))
            }
        }
    }
}

/// Whatever a client presents, without its scheme.
fn presented(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let values =
        BEARERS.iter().flat_map(|name| headers.get_all(*name).iter().map(move |value| (*name, value)));
    values.filter_map(|(name, value)| match value.as_bytes().split_at_checked(7) {
        _ if name != AUTHORIZATION.as_str() => Some(value.as_bytes()),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"bearer ") => Some(rest),
        _ => None,
    })
}

/// A bearer in a file, read again when the file changes.
struct BearerFile {
    path: PathBuf,
    read: Mutex<(Option<SystemTime>, Bearer)>,
}

impl BearerFile {
    fn open(path: PathBuf) -> Result<Self, Fault> {
        let fault = |what: String, next: String| {
            Fault::new("bearer-file", format!("the bearer file {} {what}", path.display()), next)
        };
        let changed = changed(&path);
        let text = fs::read_to_string(&path).map_err(|reason| {
            fault(format!("cannot be read: {reason}"), "check the path and its permissions".to_owned())
        })?;
        let bearer =
            parse(text).map_err(|reason| fault(format!("is not usable: {}", reason.what), reason.next))?;
        Ok(Self { path, read: Mutex::new((changed, bearer)) })
    }

    /// What the file holds now; what it held last while it holds nothing that can be used.
    fn current(&self) -> Bearer {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = changed(&self.path);
        if now != read.0
            && let Ok(text) = fs::read_to_string(&self.path)
            && let Ok(bearer) = parse(text)
        {
            *read = (now, bearer);
        }
        read.1.clone()
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

fn parse(text: String) -> Result<Bearer, Fault> {
    Bearer::new(Zeroizing::new(text).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(access: &str, listen: &str) -> Guard {
        Guard::new(&serde_json::from_str(access).unwrap(), &listen.parse().unwrap()).unwrap()
    }

    fn verdict(guard: &Guard, peer: &Peer, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().uri("/v1/models");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        guard
            .admit(peer, &request.body(()).unwrap())
            .map_or_else(|refusal| refusal.status().as_u16(), |()| 200)
    }

    fn tcp() -> Peer {
        Peer::Tcp("127.0.0.1:1".parse().unwrap())
    }

    #[test]
    fn what_no_browser_speaks_comes_from_a_program() {
        let guard = guard("{}", "127.0.0.1:8080");
        for (version, expected) in [(Version::HTTP_2, true), (Version::HTTP_11, false)] {
            let request = Request::builder().version(version).uri("http://keyless_sds/x").body(()).unwrap();
            assert_eq!(guard.admit(&tcp(), &request).is_ok(), expected, "{version:?}");
        }
    }

    #[test]
    fn on_loopback_programs_are_let_in_and_web_pages_are_not() {
        let guard = guard(r#"{"hosts": ["keyless.internal"]}"#, "127.0.0.1:8080");
        for (headers, expected) in [
            (&[("host", "127.0.0.1:8080")][..], 200),
            (&[("host", "[::1]:8080")], 200),
            (&[("host", "LOCALHOST:8080")], 200),
            (&[("host", "keyless.internal")], 200),
            (&[], 400),
            (&[("host", "attacker.example:8080")], 403),
            (&[("host", "localhost.attacker.example")], 403),
            (&[("host", "localhost:8080"), ("origin", "http://localhost:8080")], 200),
            (&[("host", "localhost:8080"), ("origin", "http://localhost:3000")], 403),
            (&[("host", "localhost:8080"), ("origin", "null")], 403),
            (&[("host", "localhost:8080"), ("sec-fetch-site", "cross-site")], 403),
            (&[("host", "localhost:8080"), ("sec-fetch-site", "same-origin")], 200),
        ] {
            assert_eq!(verdict(&guard, &tcp(), headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_bearer_of_its_own_follows_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bearer");
        fs::write(&file, "0123456789abcdef\n").unwrap();
        let guard = guard(&format!(r#"{{"bearer_file": {file:?}}}"#), "0.0.0.0:80");
        for (headers, expected) in [
            (&[][..], 401),
            (&[("authorization", "Bearer 0123456789abcdef")][..], 200),
            (&[("authorization", "bearer 0123456789abcdef")], 200),
            (&[("authorization", "0123456789abcdef")], 401),
            (&[("authorization", "Bearer 0123456789abcdeF")], 401),
            (&[("x-api-key", "0123456789abcdef")], 200),
            (&[("api-key", "0123456789abcdef")], 200),
        ] {
            assert_eq!(verdict(&guard, &tcp(), headers), expected, "{headers:?}");
        }
        fs::write(&file, "another-secret-of-ours").unwrap();
        fs::File::open(&file).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(verdict(&guard, &tcp(), &[("x-api-key", "0123456789abcdef")]), 401);
        assert_eq!(verdict(&guard, &tcp(), &[("x-api-key", "another-secret-of-ours")]), 200);
        fs::remove_file(&file).unwrap();
        assert_eq!(verdict(&guard, &tcp(), &[("x-api-key", "another-secret-of-ours")]), 200);
    }

    #[test]
    fn a_bearer_that_is_too_short_is_refused_without_being_shown() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bearer");
        for content in ["", "canary", "canary with a space in it"] {
            fs::write(&file, content).unwrap();
            let access = Access { bearer_file: Some(file.clone()), ..Access::default() };
            let fault = Guard::new(&access, &"127.0.0.1:1".parse().unwrap()).err().unwrap();
            assert_eq!(fault.code, "bearer-file");
            assert!(!fault.to_string().contains("canary"));
        }
    }

    #[test]
    fn a_unix_socket_can_be_for_some_users() {
        let guard = guard(r#"{"users": [7]}"#, "unix:/x");
        assert_eq!(verdict(&guard, &Peer::Unix(Some(7)), &[]), 200);
        assert_eq!(verdict(&guard, &Peer::Unix(Some(8)), &[]), 403);
        assert_eq!(verdict(&guard, &Peer::Unix(None), &[]), 403);
    }
}
