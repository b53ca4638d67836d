//! `--connect-to`, as curl has it: another address to dial, while names, certificates and `host` headers stay.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// One rule, written `HOST:PORT:ADDRESS:PORT` as for curl's `--connect-to`. An empty HOST or PORT before the middle
/// matches any; an empty one after it keeps what it was. IPv6 addresses stand in brackets.
///
/// ```
/// let rule: keyless::ConnectTo = "auth.openai.com:443:127.0.0.1:8443".parse()?;
/// assert_eq!(rule.to_string(), "auth.openai.com:443:127.0.0.1:8443");
/// # Ok::<_, keyless::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectTo {
    from: Side,
    to: Side,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Side {
    host: Option<String>,
    port: Option<u16>,
}

impl ConnectTo {
    /// The address to dial instead, if the rule is about this one. Hosts without brackets.
    pub(super) fn apply(&self, host: &str, port: u16) -> Option<(String, u16)> {
        let host_matches = self.from.host.as_ref().is_none_or(|from| from.eq_ignore_ascii_case(host));
        if !host_matches || self.from.port.is_some_and(|from| from != port) {
            return None;
        }
        Some((self.to.host.clone().unwrap_or_else(|| host.to_owned()), self.to.port.unwrap_or(port)))
    }
}

impl FromStr for ConnectTo {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parsed = (|| {
            let (from_host, rest) = take_host(text)?;
            let (from_port, rest) = rest.split_once(':')?;
            let (to_host, to_port) = take_host(rest)?;
            Some(Self { from: side(from_host, from_port)?, to: side(to_host, to_port)? })
        })();
        parsed.ok_or_else(|| {
            Error::invalid(
                "connect-to-invalid",
                format!(
                    "`{text}` is not HOST:PORT:ADDRESS:PORT; write for example auth.openai.com:443:127.0.0.1:8443, with \
                     IPv6 addresses in brackets"
                ),
            )
        })
    }
}

impl fmt::Display for ConnectTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.from, self.to)
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{host}]:")?,
            host => write!(f, "{}:", host.as_deref().unwrap_or_default())?,
        }
        self.port.map_or(Ok(()), |port| write!(f, "{port}"))
    }
}

/// The host, and what follows its colon.
fn take_host(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('[') {
        Some(rest) => rest.split_once("]:"),
        None => text.split_once(':'),
    }
}

fn side(host: &str, port: &str) -> Option<Side> {
    let port = if port.is_empty() { None } else { Some(port.parse().ok().filter(|port| *port != 0)?) };
    if host.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '@' | '[' | ']')) {
        return None;
    }
    Some(Side { host: (!host.is_empty()).then(|| host.to_owned()), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_curl() {
        for (rule, host, port, expected) in [
            ("a.example:443:127.0.0.1:8443", "a.example", 443, Some(("127.0.0.1", 8443))),
            ("a.example:443:127.0.0.1:8443", "A.EXAMPLE", 443, Some(("127.0.0.1", 8443))),
            ("a.example:443:127.0.0.1:8443", "a.example", 444, None),
            ("a.example:443:127.0.0.1:8443", "b.example", 443, None),
            ("::127.0.0.1:8443", "b.example", 1, Some(("127.0.0.1", 8443))),
            ("a.example:::8443", "a.example", 443, Some(("a.example", 8443))),
            ("a.example:443:b.example:", "a.example", 443, Some(("b.example", 443))),
            ("[::1]:80:[fd00::2]:81", "::1", 80, Some(("fd00::2", 81))),
        ] {
            let parsed: ConnectTo = rule.parse().unwrap();
            assert_eq!(parsed.to_string(), rule);
            assert_eq!(parsed.apply(host, port), expected.map(|(h, p)| (h.to_owned(), p)), "{rule}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for rule in [
            "",
            "a",
            "a:1",
            "a:1:b",
            "a:x:b:1",
            "a:1:b:70000",
            "a:1:b:0",
            "[::1:1:b:1",
            "a b:1:c:2",
            "a:1:u@b:2",
        ] {
            let error = rule.parse::<ConnectTo>().unwrap_err();
            assert_eq!(error.code, "connect-to-invalid");
            assert!(error.message.contains("auth.openai.com:443:127.0.0.1:8443"));
        }
    }
}
