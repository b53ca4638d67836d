//! Calls without pause, while credentials come and go below them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use keyless::tower::BoxError;
use keyless_sandbox::{Fault, ServiceName};
use tower::ServiceExt as _;

use crate::world::{PATIENCE, World};

/// Calls the API by both clients until told to stop. Every answer has to be 200.
struct Load {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    callers: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn start(world: &World) -> Self {
        let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (tower, reqwest, url) = (world.tower(), world.reqwest(), world.url("/models"));
        let callers = (0..8).map(|caller| {
            let (over, answered) = (over.clone(), answered.clone());
            let (tower, reqwest, url) = (tower.clone(), reqwest.clone(), url.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let status = if caller % 2 == 0 {
                        by_tower(&tower, &url).await.unwrap()
                    } else {
                        reqwest.get(&url).send().await.unwrap().status()
                    };
                    assert_eq!(status, StatusCode::OK);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        let callers = callers.collect();
        Self { over, answered, callers }
    }

    /// How many were answered.
    async fn stop(self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.await.unwrap();
        }
        self.answered.load(Ordering::Relaxed)
    }
}

async fn by_tower(client: &crate::world::Tower, url: &str) -> Result<StatusCode, BoxError> {
    let response = client.clone().oneshot(Request::get(url).body(Full::<Bytes>::default())?).await?;
    let status = response.status();
    response.into_body().collect().await?;
    Ok(status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewals_lose_no_request() {
    let world = World::short_lived(Duration::from_secs(6)).await;
    let load = Load::start(&world);
    world.generation(4).await;
    let answered = load.stop().await;
    assert!(answered > 100, "{answered}");
    assert_eq!(world.sandbox.counters(ServiceName::Upstream).answered(401), 0);
    println!("{answered} requests through three renewals");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_token_endpoint_is_not_noticed() {
    let world = World::short_lived(Duration::from_secs(20)).await;
    let load = Load::start(&world);
    world.generation(1).await;
    world.sandbox.fault_until_cleared(ServiceName::Exchange, Fault::status(503));
    // The first exchange, one that failed, and one that came before the fault was taken away, or just after.
    let failing = world.sandbox.wait_for_requests(ServiceName::Exchange, 3);
    tokio::time::timeout(PATIENCE, failing).await.expect("no renewal was tried");
    world.sandbox.clear_faults(None);
    world.generation(2).await;
    let answered = load.stop().await;
    assert!(world.connection.status().failures >= 1);
    assert_eq!(world.sandbox.counters(ServiceName::Upstream).answered(401), 0);
    println!("{answered} requests through an outage");
}

/// Every caller may be in the middle of it: each request is sent at most twice, and one exchange does for all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_under_load_is_one_exchange_and_no_failure() {
    let world = World::new().await;
    let load = Load::start(&world);
    world.sandbox.wait_for_requests(ServiceName::Upstream, 50).await;
    world.sandbox.revoke_all();
    world.generation(2).await;
    let before = world.sandbox.counters(ServiceName::Upstream).requests;
    world.sandbox.wait_for_requests(ServiceName::Upstream, before + 50).await;
    load.stop().await;
    assert_eq!(world.exchanges(), 2);
    let refused = world.sandbox.counters(ServiceName::Upstream).answered(401);
    // Eight callers at once, and those that had the old credential in hand when the new one came.
    assert!((1..=16).contains(&refused), "{refused}");
}
