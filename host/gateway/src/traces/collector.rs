//! Where a collector is.

use std::str::FromStr;

use http::Uri;
use http::uri::PathAndQuery;

/// Where it takes traces when nothing else is said (OTLP specification, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";

/// A collector that takes OTLP over HTTP, and under which name this program appears there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    pub(super) url: Uri,
    pub(super) service: String,
}

impl Collector {
    /// The service's name in the traces, `keyless` by default.
    #[must_use]
    pub fn named(mut self, service: &str) -> Self {
        service.clone_into(&mut self.service);
        self
    }
}

/// A base URL, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it, or the whole URL, which ends in `/v1/traces`.
impl FromStr for Collector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected the URL of a collector, such as http://127.0.0.1:4318".to_owned();
        let url: Uri = text.parse().map_err(|_| wrong())?;
        let known = matches!(url.scheme_str(), Some("http" | "https"));
        if !known
            || url.query().is_some()
            || url.authority().is_none_or(|authority| authority.as_str().contains('@'))
        {
            return Err(wrong());
        }
        let base = url.path().trim_end_matches('/');
        let path = if base.ends_with(PATH) { base.to_owned() } else { format!("{base}{PATH}") };
        let mut parts = url.into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(path).map_err(|_| wrong())?);
        Ok(Self { url: Uri::from_parts(parts).map_err(|_| wrong())?, service: "keyless".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_and_a_whole_url_are_the_same() {
        for (text, url) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
            ("https://collector.example/otlp/", "https://collector.example/otlp/v1/traces"),
            ("https://collector.example/otlp/v1/traces", "https://collector.example/otlp/v1/traces"),
        ] {
            assert_eq!(text.parse::<Collector>().unwrap().url, url, "{text}");
        }
        for text in ["", "127.0.0.1:4318", "grpc://x", "http://user:password@x", "http://x?key=1"] {
            let said = text.parse::<Collector>().unwrap_err();
            assert!(said.contains("http://127.0.0.1:4318") && !said.contains("password"));
        }
    }
}
