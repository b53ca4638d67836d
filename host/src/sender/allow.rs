//! The requests that may leave: decided on method, scheme, authority and path, before any name is looked up.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::Method;
use url::{Host, Url};

use crate::{Endpoint, Error, Grant};

/// A grant's endpoints in the form in which requests are compared with them: a handful. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowList(Arc<[Target]>);

/// Method and URL without query, every part in its one canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    method: Method,
    secure: bool,
    host: String,
    port: u16,
    path: String,
}

impl AllowList {
    /// # Errors
    /// `grant-endpoint-invalid` for what is no endpoint, `grant-endpoint-insecure` for plain `http` to another machine.
    pub(crate) fn new(grant: &Grant) -> Result<Self, Error> {
        grant.endpoints().map(target).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an endpoint is within the list, in whatever spelling.
    pub(crate) fn covers(&self, endpoint: &Endpoint) -> bool {
        target(endpoint).is_ok_and(|target| self.0.contains(&target))
    }

    /// Whether a request may be sent. The query is free. The path is compared byte by byte: `/a/../b` is not `/b`.
    pub(crate) fn permits(&self, method: &Method, uri: &http::Uri) -> bool {
        let Some(authority) = uri.authority() else { return false };
        // Credentials in a URL would be sent along, and `granted.example@other.example` is the other.
        if authority.as_str().contains('@') {
            return false;
        }
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return false,
        };
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            // `host:` and `host:99999` have a port, but none that can be compared.
            None if authority.as_str() != authority.host() => return false,
            None => default_port(secure),
        };
        let target = Target {
            method: method.clone(),
            secure,
            host: authority.host().to_ascii_lowercase(),
            port,
            path: uri.path().to_owned(),
        };
        self.0.contains(&target)
            || any_last_segment(&target.path).is_some_and(|path| self.0.contains(&Target { path, ..target }))
    }
}

/// The grant that would cover the path without naming its last segment: `/a/*` for `/a/b`. A `*` at the end of a granted
/// URL stands for one segment whose name only the other side knows, such as that of a machine's role; not for none, for
/// several, or for what a server could take for another path.
fn any_last_segment(path: &str) -> Option<String> {
    let (parent, name) = path.rsplit_once('/')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    let one = !name.is_empty() && name.bytes().all(plain) && !matches!(name, "." | "..");
    one.then(|| format!("{parent}/*"))
}

fn target(endpoint: &Endpoint) -> Result<Target, Error> {
    let invalid = |reason: &str| {
        Error::denied(
            "grant-endpoint-invalid",
            format!(
                "`{endpoint}` cannot be granted: {reason}; write a method and an absolute URL without query"
            ),
        )
    };
    let in_upper_case = endpoint.method.bytes().all(|byte| byte.is_ascii_uppercase());
    let method = Method::from_bytes(endpoint.method.as_bytes()).ok().filter(|_| in_upper_case);
    let method = method.ok_or_else(|| invalid("the method is not in upper case"))?;
    let url = Url::parse(&endpoint.url).map_err(|e| invalid(&format!("the URL is not valid ({e})")))?;
    let secure = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(invalid("the scheme is neither https nor http")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("the URL holds a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("the URL holds a query or a fragment"));
    }
    let host = url.host().ok_or_else(|| invalid("the URL has no host"))?;
    if !secure && !is_local(&host) {
        return Err(Error::denied(
            "grant-endpoint-insecure",
            format!(
                "`{endpoint}` cannot be granted: plain http is for this machine (localhost, 127.0.0.1, [::1]) and the \
                 cloud metadata addresses only; use https"
            ),
        ));
    }
    Ok(Target {
        method,
        secure,
        host: host.to_string(),
        port: url.port_or_known_default().unwrap_or(default_port(secure)),
        path: url.path().to_owned(),
    })
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

fn is_local(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_loopback_name(name) || *name == "metadata.google.internal",
        Host::Ipv4(address) => is_local_address(IpAddr::V4(*address)),
        Host::Ipv6(address) => is_local_address(IpAddr::V6(*address)),
    }
}

fn is_loopback_name(name: &str) -> bool {
    name == "localhost"
}

/// Where plain `http` may go: this machine, or the addresses at which clouds answer their own machines.
///
/// Over IPv4 those are link-local (169.254.0.0/16): 169.254.169.254 of AWS, Azure and Google Cloud machines, 169.254.170.2
/// of Amazon ECS tasks, 169.254.170.23 of Amazon EKS pods, and Azure App Service's, which differ from plan to plan. What
/// is sent there does not pass a router.
pub(super) fn is_local_address(address: IpAddr) -> bool {
    const METADATA: [Ipv6Addr; 2] = [
        // Amazon EKS pods.
        Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
        // AWS machines.
        Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    ];
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || METADATA.contains(&address),
    }
}

/// Whether nothing but the next hop can be meant: then one second is enough to find out that nobody answers.
pub(super) fn is_link_local(host: &str) -> bool {
    host == "metadata.google.internal"
        || host.parse::<IpAddr>().is_ok_and(|address| is_local_address(address) && !address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(endpoints: &[(&str, &str)]) -> Result<AllowList, Error> {
        let grant = endpoints.iter().fold(Grant::none(), |g, (m, u)| g.endpoint(Endpoint::new(*m, *u)));
        AllowList::new(&grant)
    }

    fn permits(list: &AllowList, method: &str, uri: &str) -> bool {
        list.permits(&method.parse().unwrap(), &uri.parse().unwrap())
    }

    #[test]
    fn exactly_the_granted_method_and_url() {
        let list = list(&[("POST", "https://auth.openai.com/oauth/token")]).unwrap();
        for allowed in [
            "https://auth.openai.com/oauth/token",
            "https://AUTH.openai.com/oauth/token",
            "https://auth.openai.com:443/oauth/token",
            "https://auth.openai.com/oauth/token?x=1",
        ] {
            assert!(permits(&list, "POST", allowed), "{allowed}");
        }
        for denied in [
            "http://auth.openai.com/oauth/token",
            "https://auth.openai.com:444/oauth/token",
            "https://auth.openai.com./oauth/token",
            "https://auth.openai.com.evil.example/oauth/token",
            "https://evil.example/oauth/token",
            "https://auth.openai.com@evil.example/oauth/token",
            "https://user:secret@auth.openai.com/oauth/token",
            "https://auth.openai.com/oauth/token/",
            "https://auth.openai.com/oauth/Token",
            "https://auth.openai.com/oauth/%74oken",
            "https://auth.openai.com/x/../oauth/token",
            "https://auth.openai.com//oauth/token",
            "https://auth.openai.com/oauth",
            "https://auth.openai.com",
            "https://auth.openai.com:/oauth/token",
            "/oauth/token",
        ] {
            assert!(!permits(&list, "POST", denied), "{denied}");
        }
        for method in ["GET", "PUT", "post", "DELETE"] {
            assert!(!permits(&list, method, "https://auth.openai.com/oauth/token"), "{method}");
        }
    }

    #[test]
    fn a_star_at_the_end_is_one_segment() {
        let list = list(&[("GET", "http://169.254.169.254/latest/roles/*")]).unwrap();
        for allowed in ["my-role", "a_b+c=d,e.f@g-h", "..."] {
            assert!(
                permits(&list, "GET", &format!("http://169.254.169.254/latest/roles/{allowed}")),
                "{allowed}"
            );
        }
        for denied in ["", "a/b", "a/", "/a", ".", "..", "../x", "%2e%2e", "a%2fb", "a;b", "**"] {
            assert!(
                !permits(&list, "GET", &format!("http://169.254.169.254/latest/roles/{denied}")),
                "{denied}"
            );
        }
        assert!(!permits(&list, "GET", "http://169.254.169.254/latest/roles"));
        assert!(!permits(&list, "PUT", "http://169.254.169.254/latest/roles/x"));
        assert!(!permits(&list, "GET", "http://169.254.170.2/latest/roles/x"));
        // A grant without a star gains nothing, and one with it covers itself in a lock file.
        assert!(list.covers(&Endpoint::new("GET", "http://169.254.169.254/latest/roles/*")));
        assert!(!list.covers(&Endpoint::new("GET", "http://169.254.169.254/latest/roles/x")));
    }

    #[test]
    fn a_grant_is_read_in_any_spelling() {
        let list =
            list(&[("GET", "http://[FD00:EC2::254]:80/a/./b/../c"), ("POST", "HTTPS://A.Example:443")])
                .unwrap();
        assert!(permits(&list, "GET", "http://[fd00:ec2::254]/a/c"));
        assert!(permits(&list, "POST", "https://a.example/"));
        assert!(list.covers(&Endpoint::new("POST", "https://a.example/")));
        assert!(!list.covers(&Endpoint::new("GET", "https://a.example/")));
    }

    #[test]
    fn plain_http_stays_on_the_machine_or_at_the_cloud_s_metadata() {
        for allowed in [
            "http://localhost:8080/x",
            "http://127.0.0.1/x",
            "http://127.9.9.9/x",
            "http://[::1]:1/x",
            "http://169.254.169.254/latest/api/token",
            "http://metadata.google.internal/x",
            "http://169.254.170.2/x",
            "http://169.254.170.23/x",
            "http://169.254.130.4:8081/msi/token",
            "http://[fd00:ec2::23]/x",
            "http://[fd00:ec2::254]/x",
        ] {
            assert!(list(&[("GET", allowed)]).is_ok(), "{allowed}");
        }
        for denied in [
            "http://auth.openai.com/oauth/token",
            "http://10.0.0.1/x",
            "http://169.253.1.1/x",
            "http://localhost.evil.example/x",
            "http://metadata.google.internal.evil.example/x",
            "http://0.0.0.0/x",
            "http://[::ffff:10.0.0.1]/x",
        ] {
            assert_eq!(list(&[("GET", denied)]).unwrap_err().code, "grant-endpoint-insecure", "{denied}");
        }
        // Other spellings of 127.0.0.1 are this machine, too.
        assert!(list(&[("GET", "http://2130706433/x")]).is_ok());
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for (method, url) in [
            ("", "https://a.example/"),
            ("post", "https://a.example/"),
            ("POST", "a.example/x"),
            ("POST", "ftp://a.example/x"),
            ("POST", "file:///etc/passwd"),
            ("POST", "https://u@a.example/x"),
            ("POST", "https://u:p@a.example/x"),
            ("POST", "https://a.example/x?y"),
            ("POST", "https://a.example/x#y"),
            ("POST", "https://"),
        ] {
            assert_eq!(list(&[(method, url)]).unwrap_err().code, "grant-endpoint-invalid", "{method} {url}");
        }
    }

    #[test]
    fn nothing_is_granted_by_nothing() {
        assert!(!permits(&AllowList::default(), "GET", "https://a.example/"));
    }
}
