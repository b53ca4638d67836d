//! The upgrade that the Realtime API is reached by.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::upstream::{Api, Scripted, head};
use crate::world::{World, get, within};

fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\
         sec-websocket-protocol: realtime, openai-insecure-api-key.theirs\r\n\r\n"
    )
}

#[tokio::test]
async fn bytes_pass_both_ways_once_both_have_switched() {
    let api = Api::start().await;
    let world = World::new(api.address);
    // An upgrade goes over HTTP/1.1 whatever else the upstream speaks.
    world.network.http2.store(true, Ordering::Relaxed);
    let mut client = world.client().await;
    client.send(upgrade("/realtime?model=gpt-realtime")).await;
    let answer = client.head().await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert!(answer.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    for message in ["one", "two"] {
        client.send(message).await;
        let mut echo = [0; 3];
        within(client.0.read_exact(&mut echo)).await.unwrap();
        assert_eq!(&echo, message.as_bytes());
    }
    client.0.shutdown().await.unwrap();
    assert!(client.is_closed().await);
    assert_eq!(world.counted("tunnel-opened").await, 1);
}

#[tokio::test]
async fn the_end_waits_for_those_that_are_open() {
    let api = Api::start().await;
    let world = World::new(api.address);
    let mut client = world.client().await;
    client.send(upgrade("/realtime")).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101"));
    let mut drained = std::pin::pin!(world.gateway.drain());
    let early = tokio::time::timeout(Duration::from_millis(200), &mut drained).await;
    assert!(early.is_err(), "it did not wait for an open WebSocket");
    client.send("one").await;
    let mut echo = [0; 3];
    within(client.0.read_exact(&mut echo)).await.unwrap();
    client.0.shutdown().await.unwrap();
    within(drained).await;
}

#[tokio::test]
async fn it_carries_the_credential_and_no_key_of_the_client() {
    let (upstream, address) = Scripted::start().await;
    let world = World::new(address);
    let mut client = world.client().await;
    client.send(upgrade("/realtime")).await;
    let mut stream = upstream.connection().await;
    let head = head(&mut stream).await;
    for expected in [
        "authorization: Bearer token-1\r\n",
        "connection: upgrade\r\n",
        "upgrade: websocket\r\n",
        "sec-websocket-protocol: realtime\r\n",
    ] {
        assert!(head.contains(expected), "{head}");
    }
    stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno").await.unwrap();
    let answer = client.answer().await;
    assert_eq!((answer.status, &*answer.text()), (403, "no"));
}

#[tokio::test]
async fn a_rejected_credential_is_replaced_and_models_are_looked_up() {
    let api = Api::start().await;
    let route = json!({"prefix": "/", "connection": "api", "models": ["gpt-realtime"]});
    let world = World::with(api.address, json!({"routes": [route]}));
    api.accepted.store(2, Ordering::Relaxed);
    let mut client = world.client().await;
    client.send(upgrade("/realtime?model=gpt-realtime")).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101"));
    for path in ["/realtime?model=other", "/realtime"] {
        assert_eq!(world.ask(&upgrade(path)).await.code(), "model-not-allowed");
    }
}

#[tokio::test]
async fn an_upstream_that_switches_unasked_has_failed() {
    let (upstream, address) = Scripted::start().await;
    let world = World::new(address);
    let mut client = world.client().await;
    client.send(get("/x")).await;
    let mut stream = upstream.connection().await;
    head(&mut stream).await;
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    stream.write_all(switch).await.unwrap();
    assert_eq!(client.answer().await.code(), "upstream-failed");
}
