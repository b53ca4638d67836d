//! What is to be served: the tables of `keyless.toml` beside its connections.
//!
//! One file per kind of listener, plus what they share: [`Address`], [`Access`] and [`Route`].

mod access;
mod address;
mod authz;
mod bearer;
mod endpoint;
mod ops;
mod proxy;
mod route;
mod sds;

pub use access::Access;
pub use address::Address;
pub use authz::Authz;
pub use bearer::Bearer;
pub use endpoint::Endpoint;
pub use ops::Ops;
pub use proxy::Proxy;
pub use route::Route;
pub(crate) use route::routes;
pub use sds::Sds;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Fault;

/// The tables of `keyless.toml` that say what is to be served.
pub const KEYS: [&str; 5] = ["proxy", "authz", "sds", "endpoint", "ops"];

/// Everything that is to be served, by the names that the file gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Reverse proxies that set the credential.
    pub proxy: BTreeMap<String, Proxy>,
    /// Authorisation services for other proxies.
    pub authz: BTreeMap<String, Authz>,
    /// Secrets for Envoy.
    pub sds: BTreeMap<String, Sds>,
    /// Token endpoints for applications.
    pub endpoint: BTreeMap<String, Endpoint>,
    /// Health, metrics and the status page.
    pub ops: Option<Ops>,
}

impl Config {
    /// Reads the tables. Whether the connections that they name exist is checked by [`Config::check`].
    ///
    /// # Errors
    /// `serve-config`, naming the field.
    pub fn read(tables: Map<String, Value>) -> Result<Self, Fault> {
        serde_path_to_error::deserialize(Value::Object(tables)).map_err(|error| {
            let field = error.path().to_string();
            Fault::new(
                "serve-config",
                format!("`{field}` is not understood: {}", error.into_inner()),
                "compare it with docs/serve.md",
            )
        })
    }

    /// Looks for what cannot work whatever the machine is like.
    ///
    /// # Errors
    /// `serve-config`, naming the table.
    pub fn check(&self, connections: &BTreeSet<String>) -> Result<(), Fault> {
        if self.listeners() == 0 {
            return Err(Fault::new(
                "serve-nothing",
                "it names nothing to serve",
                "add a listener, such as [proxy.openai] with `listen` and `connection`",
            ));
        }
        for (name, proxy) in &self.proxy {
            let table = Table { path: format!("proxy.{name}"), connections };
            proxy.access.check(&table, &proxy.listen)?;
            route::check(&table, proxy.connection.as_deref(), &proxy.routes)?;
        }
        for (name, authz) in &self.authz {
            let table = Table { path: format!("authz.{name}"), connections };
            authz.access.check(&table, &authz.listen)?;
            route::check(&table, authz.connection.as_deref(), &authz.routes)?;
        }
        for (name, sds) in &self.sds {
            sds.check(&Table { path: format!("sds.{name}"), connections })?;
        }
        for (name, endpoint) in &self.endpoint {
            let table = Table { path: format!("endpoint.{name}"), connections };
            endpoint.access.check(&table, &endpoint.listen)?;
            table.names(endpoint.connections.as_deref())?;
        }
        if let Some(ops) = &self.ops {
            ops.access.check(&Table { path: "ops".to_owned(), connections }, &ops.listen)?;
        }
        Ok(())
    }

    /// The connections that are in use, by name; those that only exist are not opened.
    #[must_use]
    pub fn connections<'a>(&'a self, all: &'a BTreeSet<String>) -> BTreeSet<&'a str> {
        let routed = |whole: &'a Option<String>, routes: &'a [Route]| {
            whole.as_deref().into_iter().chain(routes.iter().map(|route| route.connection.as_str()))
        };
        let listed = |names: &'a Option<Vec<String>>| -> Vec<&'a str> {
            match names {
                Some(names) => names.iter().map(String::as_str).collect(),
                None => all.iter().map(String::as_str).collect(),
            }
        };
        let proxies = self.proxy.values().flat_map(|proxy| routed(&proxy.connection, &proxy.routes));
        let authz = self.authz.values().flat_map(|authz| routed(&authz.connection, &authz.routes));
        let sds = self.sds.values().flat_map(|sds| listed(&sds.connections));
        let endpoints = self.endpoint.values().flat_map(|endpoint| listed(&endpoint.connections));
        proxies.chain(authz).chain(sds).chain(endpoints).collect()
    }

    fn listeners(&self) -> usize {
        self.proxy.len() + self.authz.len() + self.sds.len() + self.endpoint.len()
    }
}

/// A table being checked.
pub(crate) struct Table<'a> {
    /// As one writes it between brackets.
    pub(crate) path: String,
    /// Every connection of the file.
    pub(crate) connections: &'a BTreeSet<String>,
}

impl Table<'_> {
    pub(crate) fn fault(&self, what: impl std::fmt::Display, next: impl Into<String>) -> Fault {
        Fault::new("serve-config", format!("[{}] {what}", self.path), next)
    }

    pub(crate) fn name(&self, connection: &str) -> Result<(), Fault> {
        if self.connections.contains(connection) {
            return Ok(());
        }
        let known: Vec<_> = self.connections.iter().map(String::as_str).collect();
        let next = match known.join(", ") {
            none if none.is_empty() => format!("write [connections.{connection}]"),
            known => format!("name one of {known}, or write [connections.{connection}]"),
        };
        Err(self.fault(format!("names the connection `{connection}`, which is not there"), next))
    }

    pub(crate) fn names(&self, connections: Option<&[String]>) -> Result<(), Fault> {
        connections.unwrap_or_default().iter().try_for_each(|name| self.name(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<Config, Fault> {
        let Value::Object(tables) = value else { panic!("an object") };
        Config::read(tables)
    }

    fn check(value: Value) -> Result<(), Fault> {
        read(value)?.check(&["a".to_owned(), "b".to_owned()].into())
    }

    #[test]
    fn the_short_form_and_the_long_one() {
        check(json!({"proxy": {"x": {"listen": "127.0.0.1:0", "connection": "a"}}})).unwrap();
        check(json!({"proxy": {"x": {
            "listen": "unix:/run/x.sock",
            "routes": [
                {"prefix": "/a", "connection": "a", "paths": ["/v1/**"], "models": ["gpt-*"], "replay_limit": 0},
                {"prefix": "/b", "connection": "b", "upstream": "https://b.example/v1"},
            ],
            "access": {"mode": "0660", "users": [1]},
        }}}))
        .unwrap();
        check(json!({"sds": {"x": {"directory": "/run/sds"}}, "ops": {"listen": "[::1]:0"}})).unwrap();
    }

    #[test]
    fn only_what_is_in_use_is_named() {
        let config = read(json!({
            "proxy": {"x": {"listen": "127.0.0.1:0", "routes": [{"prefix": "/", "connection": "b"}]}},
        }))
        .unwrap();
        let all = ["a".to_owned(), "b".to_owned()].into();
        assert_eq!(config.connections(&all), ["b"].into());
        let config = read(json!({"sds": {"x": {"directory": "/run/sds"}}})).unwrap();
        assert_eq!(config.connections(&all), ["a", "b"].into());
    }

    #[test]
    fn a_fault_names_the_field_and_the_way_out() {
        for (config, says) in [
            (json!({}), "names nothing to serve"),
            (
                json!({"proxy": {"x": {"connection": "a"}}}),
                "`proxy.x` is not understood: missing field `listen`",
            ),
            (json!({"proxy": {"x": {"listen": "8080", "connection": "a"}}}), "`proxy.x.listen`"),
            (json!({"proxy": {"x": {"listen": "unix:run", "connection": "a"}}}), "absolute path"),
            (json!({"proxy": {"x": {"listen": "127.0.0.1:0"}}}), "neither `connection` nor `routes`"),
            (json!({"proxy": {"x": {"listen": "127.0.0.1:0", "connection": "c"}}}), "the connection `c`"),
            (
                json!({"proxy": {"x": {"listen": "127.0.0.1:0", "conection": "a"}}}),
                "unknown field `conection`",
            ),
            (
                json!({"proxy": {"x": {"listen": "0.0.0.0:0", "connection": "a"}}}),
                "everybody who can reach it",
            ),
            (
                json!({"proxy": {"x": {"listen": "127.0.0.1:0", "connection": "a", "routes": [
                    {"prefix": "/", "connection": "a"}]}}}),
                "both `connection` and `routes`",
            ),
            (
                json!({"proxy": {"x": {"listen": "127.0.0.1:0", "routes": [
                    {"prefix": "/a", "connection": "a"}, {"prefix": "/a/", "connection": "b"}]}}}),
                "`/a` twice",
            ),
            (
                json!({"proxy": {"x": {"listen": "127.0.0.1:0", "routes": [{"prefix": "a", "connection": "a"}]}}}),
                "starts with a slash",
            ),
            (
                json!({"proxy": {"x": {"listen": "127.0.0.1:0", "connection": "a", "access": {"mode": "0600"}}}}),
                "only a Unix socket has",
            ),
            (
                json!({"proxy": {"x": {"listen": "unix:/x", "connection": "a", "access": {"mode": "0999"}}}}),
                "octal",
            ),
            (json!({"sds": {"x": {}}}), "neither `directory` nor `listen`"),
        ] {
            let fault = check(config).unwrap_err();
            assert!(fault.what.contains(says), "{says}: {}", fault.what);
            assert!(!fault.next.is_empty());
        }
    }
}
