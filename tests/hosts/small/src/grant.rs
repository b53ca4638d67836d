//! What one connection may reach. Decided before a name is looked up and before a file is opened.

use std::net::IpAddr;

use http::Uri;

/// Endpoints and files, spelt as the plan spells them. The default allows nothing.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// Methods and URLs. A last segment `*` stands for one segment.
    pub endpoints: Vec<(String, String)>,
    /// Paths.
    pub files: Vec<String>,
}

impl Grant {
    /// Whether a request may be sent. Machine and plan spell a URL alike, so texts are compared and nothing is interpreted;
    /// the query is free.
    #[must_use]
    pub fn permits(&self, method: &str, url: &str) -> bool {
        let url = url.split_once('?').map_or(url, |(place, _)| place);
        let covers = |granted: &str| {
            granted == url || granted.strip_suffix('*').is_some_and(|start| one_more(start, url))
        };
        self.endpoints.iter().any(|(known, granted)| known == method && covers(granted))
    }
}

/// Whether `url` is `start`, which ends with `/`, and one segment that no server can take for another path.
fn one_more(start: &str, url: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    url.strip_prefix(start)
        .filter(|_| start.ends_with('/'))
        .is_some_and(|name| !matches!(name, "" | "." | "..") && name.bytes().all(plain))
}

/// Whether a URL is https, or plain http within this machine or to the next hop, where clouds answer their own machines.
#[must_use]
pub fn is_private(url: &Uri, resolved: impl IntoIterator<Item = IpAddr>) -> bool {
    let near = |address: IpAddr| match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        // The metadata services of AWS machines and EKS pods.
        IpAddr::V6(address) => address.is_loopback() || address.segments().starts_with(&[0xfd00, 0xec2]),
    };
    let mut resolved = resolved.into_iter();
    url.scheme_str() == Some("https") || (url.scheme_str() == Some("http") && resolved.all(near))
}
