//! The library, whose credentials are refused as soon as they come, while time goes on by half a minute each time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::Request;
use keyless::sender::{Body, Network, Patience, Sender, Sending};
use keyless::{Clocks, Connection, Grant, Runtime, Variables};

use crate::sandbox::Outside;

const PATIENCE: Duration = Duration::from_secs(10);
/// After so long a refused credential may force another renewal.
const REST: Duration = Duration::from_secs(31);

pub(crate) struct Library {
    tokio: tokio::runtime::Runtime,
    /// With clocks of its own each, so that they do not hurry one another.
    connections: Vec<(Connection, Ahead)>,
    seen: Arc<Mutex<Option<Request<Bytes>>>>,
}

impl Library {
    pub(crate) fn open(outside: &Outside, count: usize) -> Self {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let ca = outside.sandbox.ca_pem().as_bytes().to_vec();
        let seen = Arc::default();
        let network = Network::new(std::slice::from_ref(&ca), Vec::new()).expect("a network");
        let network = Arc::new(Seeing { network, seen: Arc::clone(&seen) });
        let document = &outside.sandbox.documents().native;
        let connections = tokio.block_on(async {
            let mut connections = Vec::new();
            for _ in 0..count {
                let ahead = Ahead::default();
                let builder = Runtime::builder().clocks(ahead.clone()).sender(Shared(Arc::clone(&network)));
                let runtime = builder.build().expect("a runtime");
                let plan = runtime.plan(document, &Variables::new()).await.expect("a plan");
                let connection = runtime.open(document, Variables::new(), Grant::for_plan(&plan)).await;
                let connection = connection.expect("a connection");
                connection.ready(PATIENCE).await.expect("a credential");
                connections.push((connection, ahead));
            }
            connections
        });
        Self { tokio, connections, seen }
    }

    /// One that it sent.
    pub(crate) fn request(&self) -> Request<Bytes> {
        self.seen.lock().expect("no panic").clone().expect("it has sent one")
    }

    /// Renewals per second, by all connections, for so long.
    pub(crate) fn renew(&self, how_long: Duration) -> f64 {
        self.tokio.block_on(async {
            let began = Instant::now();
            let all: Vec<_> = self
                .connections
                .iter()
                .cloned()
                .map(|(connection, ahead)| {
                    tokio::spawn(async move {
                        let before = connection.status().renewals;
                        while began.elapsed() < how_long {
                            let held = connection.credential().expect("one is held").generation();
                            ahead.0.fetch_add(REST.as_secs(), Ordering::Relaxed);
                            connection.reject(held);
                            let credential = connection.ready(PATIENCE).await.expect("a credential");
                            assert!(credential.generation() > held, "another one");
                        }
                        connection.status().renewals - before
                    })
                })
                .collect();
            let mut renewals = 0;
            for one in all {
                renewals += one.await.expect("no panic");
            }
            renewals as f64 / began.elapsed().as_secs_f64()
        })
    }
}

/// Sends, and remembers what it sent.
struct Seeing {
    network: Network,
    seen: Arc<Mutex<Option<Request<Bytes>>>>,
}

/// One network, and its connections, for several runtimes.
struct Shared(Arc<Seeing>);

impl Sender for Shared {
    fn send(&self, request: Request<Body>, patience: Patience) -> Sending {
        let Seeing { network, seen } = &*self.0;
        seen.lock().expect("no panic").get_or_insert_with(|| {
            let mut copy = Request::new(Bytes::copy_from_slice(request.body().as_bytes()));
            *copy.method_mut() = request.method().clone();
            *copy.uri_mut() = request.uri().clone();
            *copy.headers_mut() = request.headers().clone();
            copy
        });
        network.send(request, patience)
    }
}

/// The machine's clocks, so many seconds further on.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicU64>);

impl Ahead {
    fn seconds(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

impl Clocks for Ahead {
    fn wall(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + self.seconds()
    }

    fn monotonic(&self) -> Duration {
        // From any moment: that both go on alike is what counts.
        self.wall()
    }
}
