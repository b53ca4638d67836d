//! Connections that share a component instance.

use std::time::Duration;

use keyless::{Connection, Grant, Limits, Runtime, Variables};

use crate::world::{Turn, World, subject_token};

const PATIENCE: Duration = Duration::from_secs(10);
const YEAR_2100: u64 = 4_102_444_800;

/// Two share an instance. A call may take five seconds.
fn world() -> World {
    let limits = Limits { call: Duration::from_secs(5), ..Limits::default() };
    World::with(Runtime::builder().limits(limits).connections_per_instance(2))
}

/// A connection with a folder and an endpoint of its own.
async fn open(world: &World, name: &str) -> Connection {
    let folder = world.root().join("var/run").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("token"), subject_token(YEAR_2100)).unwrap();
    let document = format!(
        r#"{{
          "source": {{ "type": "kubernetes", "token_file_path": "/var/run/{name}/token" }},
          "exchange": {{ "type": "openai", "identity_provider_id": "idp_1", "service_account_id": "svc_{name}",
                         "token_endpoint": "https://{name}.example/token" }}
        }}"#
    );
    let plan = world.runtime.plan(&document, &Variables::new()).await.unwrap();
    world.runtime.open(&document, Variables::new(), Grant::for_plan(&plan)).await.unwrap()
}

/// The next credential after this generation.
async fn after(connection: &Connection, generation: u64) -> u64 {
    while connection.credential().unwrap().generation() == generation {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    connection.credential().unwrap().generation()
}

#[tokio::test(start_paused = true)]
async fn each_is_served_with_its_own_grant() {
    let world = world();
    let mut connections = Vec::new();
    for name in ["one", "two", "three"] {
        connections.push((name, open(&world, name).await));
    }
    // None of them could read the file or reach the endpoint of another.
    for generation in 1..4 {
        for (name, connection) in &connections {
            connection.ready(PATIENCE).await.unwrap();
            if generation > 1 {
                assert_eq!(after(connection, generation - 1).await, generation, "{name}");
            }
        }
    }
    for (name, connection) in connections {
        let status = connection.status();
        assert_eq!((status.failures, status.replacements), (0, 0), "{name}: {status:?}");
        connection.close().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_breaks_it_costs_the_other_no_credential() {
    let world = world();
    let (one, two) = (open(&world, "one").await, open(&world, "two").await);
    one.ready(PATIENCE).await.unwrap();
    two.ready(PATIENCE).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.endpoint.order([Turn::Stall]);
    one.reject(1);
    assert_eq!(one.ready(Duration::from_secs(60)).await.unwrap().generation(), 2);
    assert_eq!((one.status().failures, one.status().replacements), (1, 1));
    assert_eq!(after(&two, 1).await, 2);
    let status = two.status();
    assert_eq!((status.renewals, status.failures, status.replacements), (2, 0, 1), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn who_is_dropped_while_it_is_served_disturbs_nobody() {
    let world = world();
    let (one, two) = (open(&world, "one").await, open(&world, "two").await);
    one.ready(PATIENCE).await.unwrap();
    two.ready(PATIENCE).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let requests = world.endpoint.requests();
    world.endpoint.order([Turn::IssueAfter(Duration::from_secs(2))]);
    one.reject(1);
    while world.endpoint.requests() == requests {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(one);
    // Its place is free for another.
    let three = open(&world, "three").await;
    two.reject(1);
    assert_eq!(two.ready(PATIENCE).await.unwrap().generation(), 2);
    assert_eq!(three.ready(PATIENCE).await.unwrap().generation(), 1);
    for connection in [two, three] {
        assert_eq!((connection.status().failures, connection.status().replacements), (0, 0));
    }
}
