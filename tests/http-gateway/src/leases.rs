//! How long a credential lives is how long an instance does.

use std::time::Duration;

use keyless_sandbox::{Fault, ServiceName};

use crate::client::{get, within};
use crate::server::Instances;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_for_each_request_is_an_exchange_for_each() {
    let world = World::start(Instances::OnePerRequest).await;
    for _ in 0..3 {
        assert_eq!(world.ask(get("/v1/models")).await.status, 200);
    }
    assert_eq!(world.exchanges(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_used_again_keeps_its_credential_and_nothing_else() {
    let world = World::start(Instances::One).await;
    assert_eq!(world.ask(get("/v1/models")).await.status, 200);
    let held = world.server.resources().await;
    for _ in 0..20 {
        assert_eq!(world.ask(get("/v1/models")).await.status, 200);
    }
    assert_eq!(world.exchanges(), 1);
    assert_eq!(world.server.resources().await, held, "every request gives back what it was lent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_renewed_ahead_of_time_while_requests_go_on() {
    let world = World::start(Instances::One).await;
    assert_eq!(world.ask(get("/v1/models")).await.status, 200);
    let first = world.last_credential();
    let nearly = Duration::from_secs(3_400);
    world.sandbox.advance_clock(nearly);
    world.sandbox.rotate_token().unwrap();
    world.server.advance_clock(nearly);
    assert_eq!(world.ask(get("/v1/models")).await.status, 200);
    assert_eq!(world.last_credential(), first, "a renewal keeps nobody waiting");
    within(world.sandbox.wait_for_requests(ServiceName::Exchange, 2)).await;
    within(async {
        while world.last_credential() == first {
            assert_eq!(world.ask(get("/v1/models")).await.status, 200);
        }
    })
    .await;
    assert_eq!(world.exchanges(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_not_noticed_while_there_is_a_credential() {
    let world = World::start(Instances::One).await;
    assert_eq!(world.ask(get("/v1/models")).await.status, 200);
    world
        .sandbox
        .fault_until_cleared(ServiceName::Exchange, Fault::Status { status: 503, retry_after: None });
    world.sandbox.advance_clock(Duration::from_secs(3_400));
    world.server.advance_clock(Duration::from_secs(3_400));
    for _ in 0..3 {
        assert_eq!(world.ask(get("/v1/models")).await.status, 200);
    }
    within(world.sandbox.wait_for_requests(ServiceName::Exchange, 2)).await;
}
