//! Which of Envoy's clusters a request goes to. It never goes anywhere else: a cluster is all that a filter can name.

use alloc::string::String;
use alloc::vec::Vec;

use keyless_engine::error::{Code, Error};
use keyless_engine::plan::Requirements;
use keyless_engine::split;

/// The clusters of one connection.
pub(crate) struct Clusters {
    exchange: Option<String>,
    identity: Option<String>,
    /// By `host` or `host:port`, before the other two.
    named: Vec<(String, String)>,
    /// Everything that the exchange asks, without queries: the token endpoint.
    exchange_urls: Vec<String>,
    unused: Vec<&'static str>,
}

impl Clusters {
    /// Everything that is needed has to have one.
    pub(crate) fn new(
        exchange: Option<String>,
        identity: Option<String>,
        named: Vec<(String, String)>,
        of_source: &Requirements,
        of_exchange: &Requirements,
    ) -> Result<Self, Error> {
        if of_source.source_component.is_some() {
            return Err(Error::new(
                Code::CustomSourceMissing,
                "the source `custom` asks a component, and Envoy loads none; let something write the token into a file, and use the source `file`",
            ));
        }
        let exchange_urls = of_exchange.endpoints.iter().map(|endpoint| endpoint.url.clone()).collect();
        let mut clusters = Self { exchange, identity, named, exchange_urls, unused: Vec::new() };
        let endpoints = of_source.endpoints.iter().chain(&of_exchange.endpoints);
        for endpoint in endpoints.clone() {
            if clusters.of_url(&endpoint.url).is_none() {
                let field =
                    if clusters.is_exchange(&endpoint.url) { "exchange_cluster" } else { "identity_cluster" };
                return Err(missing(field, &format!("{} {}", endpoint.method, endpoint.url)));
            }
        }
        let mut files = of_source.files.iter().chain(&of_exchange.files);
        if let (Some(file), None) = (files.next(), &clusters.identity) {
            return Err(missing("identity_cluster", &format!("GET {file}")));
        }
        let used = |cluster: &Option<String>| {
            endpoints.clone().any(|endpoint| clusters.of_url(&endpoint.url) == cluster.as_deref())
        };
        let mut unused = Vec::new();
        if clusters.exchange.is_some() && !used(&clusters.exchange) {
            unused.push("exchange_cluster");
        }
        let reads = !of_source.files.is_empty() || !of_exchange.files.is_empty();
        if clusters.identity.is_some() && !reads && !used(&clusters.identity) {
            unused.push("identity_cluster");
        }
        clusters.unused = unused;
        Ok(clusters)
    }

    /// Settings that no request can ever make use of.
    pub(crate) fn unused(&self) -> &[&'static str] {
        &self.unused
    }

    /// Where a request goes.
    pub(crate) fn of_url(&self, url: &str) -> Option<&str> {
        let place = authority(url);
        let named = self.named.iter().find(|(known, _)| known.eq_ignore_ascii_case(place));
        let other = if self.is_exchange(url) { &self.exchange } else { &self.identity };
        named.map(|(_, cluster)| cluster).or(other.as_ref()).map(String::as_str)
    }

    /// Where a file is asked for.
    pub(crate) fn of_files(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    fn is_exchange(&self, url: &str) -> bool {
        let url = url.split('?').next().unwrap_or(url);
        self.exchange_urls.iter().any(|known| known == url)
    }
}

/// Host and port of an absolute URL, as it is written.
pub(crate) fn authority(url: &str) -> &str {
    let rest = split::once(url, "://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

fn missing(field: &str, what: &str) -> Error {
    Error::new(
        Code::FieldMissing,
        format_args!(
            "`{field}` is missing, and the connection needs `{what}`; name the cluster of Envoy that leads there"
        ),
    )
}
