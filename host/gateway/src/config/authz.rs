//! `[authz.NAME]`.

use http::HeaderName;
use serde::{Deserialize, Deserializer, de};

use super::{Access, Address, Route};

/// An authorisation service: Envoy's ext_authz and ext_proc, nginx's auth_request, forward_auth of Traefik and Caddy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authz {
    /// Where to listen.
    pub listen: Address,
    /// Short for one route for everything.
    #[serde(default)]
    pub connection: Option<String>,
    /// Several connections, by the prefix of the original path; the longest wins.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// The header in which a gateway tells the path that its client asked for, such as `x-forwarded-uri` (Traefik, Caddy) or
    /// `x-original-uri` (nginx). Absent: the path of the question itself is the client's (Envoy). A header that the gateway
    /// does not set itself would be the client's to choose: so it is named here, and no other is looked at.
    #[serde(default, deserialize_with = "header")]
    pub original_path_header: Option<HeaderName>,
    /// Who may use it.
    #[serde(default)]
    pub access: Access,
}

fn header<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HeaderName>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map(Some)
        .map_err(|_| de::Error::custom("expected the name of a header, such as \"x-forwarded-uri\""))
}
