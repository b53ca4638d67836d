//! Which requests go where, with which credential.

use serde::{Deserialize, Deserializer, de};

use super::Table;
use crate::Fault;

/// Requests whose path starts with a prefix; or those that are for the API itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Whole segments: `/a` is the prefix of `/a` and `/a/b`, not of `/ab`. `/` for everything. Kept without a slash at the end.
    /// Absent: paths are those of the API, so that its URLs look as they would without a proxy; what is not below its base
    /// URL is not forwarded.
    #[serde(default, deserialize_with = "prefix")]
    pub prefix: Option<String>,
    /// The connection whose credential is set.
    pub connection: String,
    /// Where requests go. Absent: to the API that the credential opens. A proxy's alone.
    #[serde(default, deserialize_with = "upstream")]
    pub upstream: Option<http::Uri>,
    /// Allowed paths behind the prefix; absent: all. `*` stands for the rest of a segment, `**` at the end for all that follows.
    #[serde(default)]
    pub paths: Option<Vec<String>>,
    /// Allowed values of `model`; absent: all. `*` at the end stands for the rest. A proxy's alone.
    #[serde(default)]
    pub models: Option<Vec<String>>,
    /// Bytes of a request that are kept for one replay after a 401. A proxy's alone.
    #[serde(default)]
    pub replay_limit: Option<usize>,
}

impl Route {
    /// The API itself, with this connection.
    #[must_use]
    pub fn whole(connection: &str) -> Self {
        Self {
            prefix: None,
            connection: connection.to_owned(),
            upstream: None,
            paths: None,
            models: None,
            replay_limit: None,
        }
    }
}

/// The routes of a listener: those that are written, or the one that its `connection` is short for.
pub(crate) fn routes(connection: Option<&str>, routes: &[Route]) -> Vec<Route> {
    connection.map(Route::whole).into_iter().chain(routes.iter().cloned()).collect()
}

pub(super) fn check(table: &Table<'_>, connection: Option<&str>, routes: &[Route]) -> Result<(), Fault> {
    match (connection, routes) {
        (None, []) => Err(table
            .fault("has neither `connection` nor `routes`", "name the connection whose credential it sets")),
        (Some(_), [_, ..]) => Err(table.fault(
            "has both `connection` and `routes`",
            "leave `connection` out and add a route without a prefix for the rest",
        )),
        (Some(connection), []) => table.name(connection),
        (None, routes) => {
            for (at, route) in routes.iter().enumerate() {
                table.name(&route.connection)?;
                let prefix = route.prefix.as_deref().unwrap_or_default();
                let same = |earlier: &Route| earlier.prefix.as_deref().unwrap_or_default() == prefix;
                if routes.iter().take(at).any(same) {
                    let shown = if prefix.is_empty() { "/" } else { prefix };
                    return Err(
                        table.fault(format!("has the prefix `{shown}` twice"), "leave one of them out")
                    );
                }
            }
            Ok(())
        }
    }
}

fn prefix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if !text.starts_with('/') || text.contains(['?', '#', '%', '\\']) || text.contains("//") {
        return Err(de::Error::custom("a prefix starts with a slash and is plain text, such as \"/openai\""));
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}

fn upstream<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<http::Uri>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let uri: Option<http::Uri> = text.parse().ok();
    match uri {
        Some(uri)
            if matches!(uri.scheme_str(), Some("https" | "http"))
                && uri.query().is_none()
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@')) =>
        {
            Ok(Some(uri))
        }
        _ => Err(de::Error::custom("expected an absolute URL such as https://api.openai.com/v1")),
    }
}
