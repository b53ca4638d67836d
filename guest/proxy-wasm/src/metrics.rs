//! What Envoy's own metrics show of a connection, as `wasmcustom.keyless.PLUGIN.NAME`. All workers count into the same.

use keyless_engine::machine::Status;

use crate::host::{self, MetricKind};

pub(crate) struct Metrics {
    renewals: u32,
    failures: u32,
    rejections: u32,
    held_back: u32,
    turned_away: u32,
    generation: u32,
    expires_at: u32,
}

impl Metrics {
    /// `plugin` is its name in Envoy's configuration.
    pub(crate) fn new(plugin: &str) -> Self {
        let metric = |kind, name| {
            let dot = if plugin.is_empty() { "" } else { "." };
            host::metric(kind, &format!("keyless{dot}{plugin}.{name}"))
        };
        let counter = |name| metric(MetricKind::Counter, name);
        Self {
            renewals: counter("renewals"),
            failures: counter("failures"),
            rejections: counter("rejections"),
            held_back: counter("requests_held_back"),
            turned_away: counter("requests_turned_away"),
            generation: metric(MetricKind::Gauge, "credential_generation"),
            expires_at: metric(MetricKind::Gauge, "credential_expires_at_seconds"),
        }
    }

    /// An attempt ended.
    pub(crate) fn ended(&self, status: &Status<'_>) {
        host::count(if status.last_error.is_some() { self.failures } else { self.renewals });
        host::gauge(self.generation, status.generation);
        host::gauge(self.expires_at, status.expires_at.unwrap_or(0) / 1_000);
    }

    /// The API answered 401.
    pub(crate) fn rejected(&self) {
        host::count(self.rejections);
    }

    /// A request waits for the credential.
    pub(crate) fn held_back(&self) {
        host::count(self.held_back);
    }

    /// A request got 503.
    pub(crate) fn turned_away(&self) {
        host::count(self.turned_away);
    }
}
