//! Programs that use a connection: each takes the credential and calls the API with it, and remembers what it saw.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use keyless::Connection;
use keyless::sender::{Body, Network, Patience, Sender as _};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long a caller waits for a credential before that counts as an error.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const CALL: Patience = Patience { connect: Duration::from_secs(5), total: Duration::from_secs(30) };

/// What callers saw.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Calls that the API answered as it should.
    pub(crate) answered: u64,
    /// Everything else, by what it was: an error's code, the API's status.
    pub(crate) errors: BTreeMap<String, u64>,
    /// How long each waited for its credential.
    waits: Vec<Duration>,
}

impl Tally {
    pub(crate) fn errors(&self) -> u64 {
        self.errors.values().sum()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.answered += other.answered;
        for (what, times) in other.errors {
            *self.errors.entry(what).or_default() += times;
        }
        self.waits.extend(other.waits);
    }

    /// Every call was answered, and there were some.
    #[track_caller]
    pub(crate) fn flawless(&self) {
        assert!(self.answered > 0, "{self}");
        assert_eq!(self.errors(), 0, "{self}: {:?}", self.errors);
    }

    fn failed(what: impl fmt::Display) -> Self {
        Self { errors: BTreeMap::from([(what.to_string(), 1)]), ..Self::default() }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls answered, {} errors; {}", self.answered, self.errors(), Waits::of(&self.waits))
    }
}

/// How long callers waited, in milliseconds: the median, the slowest of a hundred, the slowest of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waits([u128; 3]);

impl Waits {
    pub(crate) fn of(waits: &[Duration]) -> Self {
        let mut waits = waits.to_vec();
        waits.sort_unstable();
        let at = |percent: usize| waits.get((waits.len() * percent).div_ceil(100).saturating_sub(1));
        Self([50, 99, 100].map(|percent| at(percent).map_or(0, Duration::as_millis)))
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([half, most, all]) = self;
        write!(f, "waited {half} ms (p50), {most} ms (p99), {all} ms at most")
    }
}

/// One caller: waits for a credential if it must, and asks the API for its models.
pub(crate) async fn call(connection: &Connection, network: &Network) -> Tally {
    let began = Instant::now();
    let credential = match connection.ready(PATIENCE).await {
        Ok(credential) => credential.clone(),
        Err(error) => return Tally::failed(error.code),
    };
    let waits = vec![began.elapsed()];
    let mut request =
        http::Request::get(format!("{}/models", credential.base_url())).body(Body::default()).unwrap();
    credential.apply(request.headers_mut());
    let seen = match network.send(request, CALL).await {
        Ok(answer) if answer.status().is_success() => Tally { answered: 1, ..Tally::default() },
        Ok(answer) => Tally::failed(answer.status().as_u16()),
        Err(fault) => Tally::failed(format!("{fault:?}")),
    };
    Tally { waits, ..seen }
}

/// Several callers at the same time.
pub(crate) async fn calls(
    connection: &Connection,
    network: &std::sync::Arc<Network>,
    callers: usize,
) -> Tally {
    let mut under_way = JoinSet::new();
    for _ in 0..callers {
        let (connection, network) = (connection.clone(), std::sync::Arc::clone(network));
        under_way.spawn(async move { call(&connection, &network).await });
    }
    let mut tally = Tally::default();
    for seen in under_way.join_all().await {
        tally.add(seen);
    }
    tally
}
