//! URLs that a document may name.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use fluent_uri::Uri;
use fluent_uri::component::Host;

use crate::split;

/// An absolute http or https URL without user, query or fragment. Keeps the author's spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl {
    text: String,
    encrypted: bool,
    loopback: bool,
    nearby: bool,
}

impl WebUrl {
    /// The fault, when it is not such a URL: the end of a sentence that begins with the field's name. It quotes nothing,
    /// because people paste keys into the wrong field.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("is empty; write a URL such as `https://api.openai.com/v1`".to_owned());
        }
        if split::once(text, "://").is_none() {
            return Err("has no scheme; write it as `https://host/path`".to_owned());
        }
        // RFC 3986 to the letter: what this parser takes, every host's parser takes.
        let uri = Uri::parse(text).map_err(|fault| format!("is not a URL ({fault})"))?;
        let encrypted = match uri.scheme().as_str().to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("has a scheme other than `https` (or `http`, on loopback)".to_owned()),
        };
        let authority = uri.authority().filter(|authority| !authority.host().is_empty());
        let authority =
            authority.ok_or_else(|| "names no host; write it as `https://host/path`".to_owned())?;
        if authority.has_userinfo() {
            return Err("carries a user or password; remove the part before `@`".to_owned());
        }
        if authority.port_to_u16().is_err() {
            return Err("has a port outside 0 to 65535".to_owned());
        }
        if uri.has_query() || uri.has_fragment() {
            return Err("has a query or a fragment; end it before `?` or `#`".to_owned());
        }
        let (loopback, nearby) = match authority.host_parsed() {
            Host::Ipv4(address) => (address.is_loopback(), address.is_link_local() || address.is_private()),
            Host::Ipv6(address) => {
                (address.is_loopback(), address.is_unicast_link_local() || address.is_unique_local())
            }
            // `127.0.0.080` is an address to some resolvers, and another one to others (WHATWG URL, "ends in a number").
            Host::RegName(name) if ends_in_a_number(name.as_str()) => {
                return Err("names a host that ends in a number and is no IPv4 address; write four numbers from 0 to 255 without leading zeros".to_owned());
            }
            // What it stands for is up to the reader: to a browser's parser, and to a host's, `1%30.1` is `10.1`.
            Host::RegName(name) if name.as_str().contains('%') => {
                return Err("names a host with `%` in it; write the name or the address itself".to_owned());
            }
            Host::RegName(name) => (name.as_str().eq_ignore_ascii_case("localhost"), false),
            _ => (false, false),
        };
        Ok(Self { text: text.to_owned(), encrypted, loopback, nearby })
    }

    /// A place to which a secret is sent: https, or http to this very machine.
    pub fn parse_private(text: &str) -> Result<Self, String> {
        let url = Self::parse(text)?;
        if url.is_private_to_the_wire() {
            Ok(url)
        } else {
            Err("is plain http to another machine, which would show the identity token to the network; use https".to_owned())
        }
    }

    /// A place at which a platform serves its own workloads: https, or http to this machine, its link or a private network.
    pub fn parse_nearby(text: &str) -> Result<Self, String> {
        let url = Self::parse(text)?;
        if url.is_private_to_the_wire() || url.nearby {
            Ok(url)
        } else {
            Err("is plain http to a public address, where no platform serves its workloads; use https"
                .to_owned())
        }
    }

    /// https, or http to loopback.
    #[must_use]
    pub fn is_private_to_the_wire(&self) -> bool {
        self.encrypted || self.loopback
    }

    /// The host as it is written, an IPv6 address in its brackets, without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        let (_, rest) = split::once(&self.text, "://").unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        match split::once(authority, "]") {
            Some((address, _)) => authority.get(..=address.len()).unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        }
    }

    /// As the author wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn ends_in_a_number(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = split::last(host, ".").map_or(host, |(_, last)| last);
    !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
        || last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"))
            && last.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::WebUrl;

    #[test]
    fn the_host_has_neither_port_nor_path() {
        for (url, host) in [
            ("https://a.example", "a.example"),
            ("https://a.example:443/b:c/d", "a.example"),
            ("http://[fd00:ec2::23]", "[fd00:ec2::23]"),
            ("http://[fd00:ec2::23]:80/v1", "[fd00:ec2::23]"),
        ] {
            assert_eq!(WebUrl::parse(url).unwrap().host(), host);
        }
    }

    #[test]
    fn secrets_go_to_https_or_to_this_machine() {
        for good in [
            "https://auth.openai.com/oauth/token",
            "http://127.0.0.1:8080/oauth/token",
            "http://127.9.9.9/",
            "http://[::1]:1/",
            "http://localhost:99/x",
            "https://1.example/",
            "https://0xg.0xg/",
            " https://trimmed.example/ ",
        ] {
            assert_eq!(
                WebUrl::parse_private(good).map(|url| url.as_str().to_owned()),
                Ok(good.trim().to_owned())
            );
        }
        for (bad, fault) in [
            ("", "is empty"),
            ("auth.openai.com/oauth/token", "no scheme"),
            ("ftp://x/", "scheme other"),
            ("https://u:CANARY@x/", "user or password"),
            ("https://u@x/", "user or password"),
            ("https://x/?CANARY", "query"),
            ("https://x/#CANARY", "query or a fragment"),
            ("http://auth.openai.com/", "plain http"),
            ("http://localhost.example.com/", "plain http"),
            ("http://127.0.0.1.example.com/", "plain http"),
            ("http://0.0.0.0/", "plain http"),
            ("https://", "no host"),
            ("https://[::1/", "not a URL"),
            ("https://x y/", "not a URL"),
            ("https://x:99999/", "port"),
            ("https://127.0.0.18080/", "ends in a number"),
            ("https://127.0.0.080/", "ends in a number"),
            ("http://127.1/", "ends in a number"),
            ("https://2130706433/", "ends in a number"),
            ("https://0x7f.1/", "ends in a number"),
            ("https://a.0X7F./", "ends in a number"),
            ("https://1073700%310/", "with `%`"),
            ("http://%6cocalhost/", "with `%`"),
        ] {
            let error = WebUrl::parse_private(bad).unwrap_err();
            assert!(error.contains(fault) && !error.contains("CANARY"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_platform_serves_its_workloads_nearby() {
        for good in [
            "https://identity.example/token",
            "http://localhost:42356/msi/token",
            "http://169.254.130.4:8081/msi/token",
            "http://172.16.1.2:8081/msi/token",
            "http://[fd00::1]/token",
            "http://[fe80::1]/token",
        ] {
            assert!(WebUrl::parse_nearby(good).is_ok(), "{good}");
        }
        for bad in [
            "http://identity.example/token",
            "http://8.8.8.8/",
            "http://172.32.0.1/",
            "http://[2001:db8::1]/",
        ] {
            assert!(WebUrl::parse_nearby(bad).unwrap_err().contains("public address"), "{bad}");
        }
    }
}
