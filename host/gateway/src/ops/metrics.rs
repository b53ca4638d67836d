//! `/metrics`. Labels hold names of the configuration and words of a fixed list, so their number is bounded.

use std::time::{SystemTime, UNIX_EPOCH};

use super::board::{Board, Shown};
use super::exposition::Exposition;
use crate::connection::{Credential, Status};
use crate::listen::Counts;

/// Every phase has its sample, so that an alert can be written for one that has not been yet.
const PHASES: [&str; 7] = ["idle", "acquiring", "fresh", "renewing", "waiting", "failed", "closed"];

/// By the first digit of a status.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Everything there is to measure, now.
pub(super) fn text(board: &Board) -> String {
    let shown = board.shown();
    let mut exposition = Exposition::default();
    process(&mut exposition, board);
    connections(&mut exposition, &shown);
    listeners(&mut exposition, &shown);
    proxies(&mut exposition, &shown);
    exposition.finish()
}

fn process(exposition: &mut Exposition, board: &Board) {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    exposition.gauge("keyless_build_info", "The version that runs; the value is 1.").sample(&version, 1);
    exposition
        .gauge("keyless_start_time_seconds", "When serving started, in seconds since 1970.")
        .sample(&[], seconds(board.started_at));
}

fn connections(exposition: &mut Exposition, shown: &Shown) {
    let now: Vec<_> = shown
        .connections
        .iter()
        .map(|followed| (&*followed.name, followed.connection.credential(), followed.connection.status()))
        .collect();

    let mut phase = exposition.gauge("keyless_connection_phase", "1 for the phase that a connection is in.");
    for (name, _, status) in &now {
        for word in PHASES {
            phase.sample(&[("connection", name), ("phase", word)], u8::from(status.phase == word));
        }
    }
    let mut usable =
        exposition.gauge("keyless_connection_usable", "Whether a credential is held that has not expired.");
    for (name, credential, _) in &now {
        usable.sample(&[("connection", name)], u8::from(credential.is_some()));
    }
    let mut in_a_row = exposition.gauge(
        "keyless_failures_in_a_row",
        "Attempts to get a credential that failed since the last success.",
    );
    for (name, _, status) in &now {
        in_a_row.sample(&[("connection", name)], status.failures_in_a_row);
    }
    for (metric, help, value) in COUNTERS {
        let mut family = exposition.counter(metric, help);
        for (name, _, status) in &now {
            family.sample(&[("connection", name)], value(status));
        }
    }
    let mut generation =
        exposition.gauge("keyless_credential_generation", "Which credential is held; 0 before the first.");
    for (name, credential, status) in &now {
        let generation_now =
            credential.as_ref().map_or(status.generation, |credential| credential.generation());
        generation.sample(&[("connection", name)], generation_now);
    }
    for (metric, help, moment) in MOMENTS {
        let mut family = exposition.gauge(metric, help);
        for (name, credential, _) in &now {
            if let Some(at) = credential.as_ref().and_then(|credential| moment(credential)) {
                family.sample(&[("connection", name)], seconds(at));
            }
        }
    }
}

type CounterOf = (&'static str, &'static str, fn(&Status) -> u64);

const COUNTERS: [CounterOf; 3] = [
    ("keyless_renewals_total", "Exchanges that gave a credential.", |status| status.renewals),
    ("keyless_failures_total", "Attempts to get a credential that failed.", |status| status.failures),
    ("keyless_replacements_total", "Component instances that broke and were replaced.", |status| {
        status.replacements
    }),
];

type MomentOf = (&'static str, &'static str, fn(&Credential) -> Option<SystemTime>);

/// No sample: there is no credential, or it does not expire.
const MOMENTS: [MomentOf; 2] = [
    (
        "keyless_credential_expires_timestamp_seconds",
        "When the credential held ends, in seconds since 1970.",
        Credential::expires_at,
    ),
    (
        "keyless_credential_renews_timestamp_seconds",
        "When the credential held is to be renewed, in seconds since 1970.",
        Credential::renew_at,
    ),
];

fn listeners(exposition: &mut Exposition, shown: &Shown) {
    let now: Vec<_> =
        shown.listeners.iter().map(|listening| (&*listening.name, listening.counters.counts())).collect();

    let mut requests =
        exposition.counter("keyless_requests_total", "Requests answered, by the class of the status.");
    for (name, counts) in &now {
        for (class, count) in CLASSES.iter().zip(counts.by_class) {
            requests.sample(&[("listener", name), ("status_class", class)], count);
        }
    }
    let refused: fn(&Counts) -> u64 = |counts| counts.refused;
    for (metric, help, value) in [
        ("keyless_requests_refused_total", "Requests of those who may not use the listener.", refused),
        ("keyless_client_connections_total", "Connections that were accepted.", |counts| counts.accepted),
    ] {
        let mut family = exposition.counter(metric, help);
        for (name, counts) in &now {
            family.sample(&[("listener", name)], value(counts));
        }
    }
    let mut open = exposition.gauge("keyless_client_connections_open", "Connections that are open.");
    for (name, counts) in &now {
        open.sample(&[("listener", name)], counts.open);
    }
}

fn proxies(exposition: &mut Exposition, shown: &Shown) {
    let mut events = exposition.counter(
        "keyless_proxy_events_total",
        "What happened to requests of a proxy, beside the statuses of their answers.",
    );
    for listening in &shown.listeners {
        for (event, count) in listening.proxy.iter().flat_map(|counters| counters.counts()) {
            events.sample(&[("listener", &listening.name), ("event", event)], count);
        }
    }
}

fn seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
