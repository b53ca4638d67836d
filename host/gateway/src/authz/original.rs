//! Which path the gateway's client asked for.
//!
//! A gateway tells it in one of two ways, and the client can imitate the one that its gateway does not use: nginx passes on
//! whatever `X-Forwarded-Uri` its client sent, Caddy whatever `X-Original-URI`. So there is no order of headers to try:
//! the configuration names one header, or none.

use http::HeaderName;
use http::request::Parts;

use super::desk::Denial;

/// Where the path stands.
pub(super) struct Original {
    header: Option<HeaderName>,
}

impl Original {
    /// `None`: in the request itself, as Envoy sends it.
    pub(super) fn new(header: Option<HeaderName>) -> Self {
        Self { header }
    }

    /// The path, without its query.
    ///
    /// # Errors
    /// When the header is not there, or there twice: then it is not the gateway's.
    pub(super) fn path(&self, question: &Parts) -> Result<String, Denial> {
        let Some(header) = &self.header else {
            return Ok(question.uri.path().to_owned());
        };
        let mut values = question.headers.get_all(header).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Denial::forbidden(
                "original-path-missing",
                "the gateway does not tell its client's path in the header that original_path_header names",
            ));
        };
        // Whatever is no path is found out where routes are looked up.
        let text = value.to_str().unwrap_or_default();
        Ok(without_query(text).to_owned())
    }
}

/// What stands before the query.
pub(super) fn without_query(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}
