//! Where requests go: to the API that the credential opens, below its base URL, and nowhere else.

use wasi::http::types::{Method, Scheme};

use crate::path;
use crate::refusal::Refusal;

/// The API's address in the parts that `wasi:http` wants.
pub(crate) struct Target<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) authority: &'a str,
    /// Without a slash at its end.
    base: &'a str,
}

impl<'a> Target<'a> {
    /// `base_url`: absolute, as a credential has it. `None`: it is not.
    pub(crate) fn of(base_url: &'a str) -> Option<Self> {
        let (scheme, rest) = base_url.split_once("://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, base) = rest.split_at_checked(end)?;
        let base = base.split(['?', '#']).next().unwrap_or(base).trim_end_matches('/');
        (!authority.is_empty()).then_some(Self { scheme, authority, base })
    }

    /// Whether this path, as it came, is one of the API's: the base URL's own, or one below.
    pub(crate) fn covers(&self, path_and_query: &str) -> Result<(), Refusal> {
        let below = path_of(path_and_query).strip_prefix(self.base);
        if below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Ok(());
        }
        Err(Refusal::Request(
            404,
            "route-unknown",
            "this path is not below the API's base URL, whose path goes into the URL here as well, such as /v1",
        ))
    }
}

/// Whether it can be forwarded at all, to whatever API.
///
/// # Errors
/// 405 for a method that would show the credential or make a tunnel; 400 for a path that two servers could read differently.
pub(crate) fn check(method: &Method, path_and_query: &str) -> Result<(), Refusal> {
    let method_passes = match method {
        Method::Trace | Method::Connect => false,
        Method::Other(name) => !["TRACE", "CONNECT"].iter().any(|one| name.eq_ignore_ascii_case(one)),
        _ => true,
    };
    if !method_passes {
        return Err(Refusal::Request(405, "method-not-allowed", "TRACE and CONNECT are not forwarded"));
    }
    path::check(path_of(path_and_query))
        .map_err(|path::Ambiguous(what)| Refusal::Request(400, "path-ambiguous", what))
}

fn path_of(path_and_query: &str) -> &str {
    path_and_query.split_once('?').map_or(path_and_query, |(path, _)| path)
}
