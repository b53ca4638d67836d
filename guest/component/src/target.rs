//! Where a request and a file are, in the parts that WASI wants.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use keyless_engine::split;

use crate::wasi::http::types::{Method, Scheme};

pub(crate) fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        other => Method::Other(other.to_owned()),
    }
}

/// Scheme, authority, and path with query.
pub(crate) fn split(url: &str) -> Option<(Scheme, &str, &str)> {
    let (scheme, rest) = split::once(url, "://")?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return None,
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    Some((scheme, authority, if path.is_empty() { "/" } else { path }))
}

/// The directory among those that the host opened in which the path leads furthest, and the rest of the path.
pub(crate) fn among<'d, 'p, D>(directories: &'d [(D, String)], path: &'p str) -> Option<(&'d D, &'p str)> {
    directories
        .iter()
        .filter_map(|(directory, name)| Some((directory, below(name, path)?)))
        .min_by_key(|(_, rest)| rest.len())
}

/// The part of `path` below the directory `name`.
fn below<'p>(name: &str, path: &'p str) -> Option<&'p str> {
    let rest = match name.trim_end_matches('/') {
        "." | "" if !path.starts_with('/') => path.strip_prefix("./").unwrap_or(path),
        "" if name.starts_with('/') => path.strip_prefix('/')?,
        name => path.strip_prefix(name)?.strip_prefix('/')?,
    };
    (!rest.is_empty()).then_some(rest)
}
