//! Clients that are slow, greedy or gone. While each is at it, other requests succeed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::upstream::{Api, Scripted, head};
use crate::world::{Client, World, get, post, within};

async fn others_go_on(world: &World) {
    assert_eq!(world.ask(&post("/others", "go on")).await.json()["body"], "go on");
}

#[tokio::test]
async fn slow_clients_are_let_go_and_hold_up_nobody() {
    let api = Api::start().await;
    let world = World::new(api.address);
    let began = Instant::now();
    let mut slow: Vec<Client> = Vec::new();
    for beginning in ["", "G", "GET /x HTTP/1.1\r\nhost: local", "PR"] {
        for _ in 0..50 {
            let mut client = world.client().await;
            client.send(beginning).await;
            slow.push(client);
        }
    }
    others_go_on(&world).await;
    for client in &mut slow {
        let mut rest = Vec::new();
        let _reset = within(client.0.read_to_end(&mut rest)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(5), "{:?}", began.elapsed());
    others_go_on(&world).await;
    assert_eq!(api.seen().len(), 2);
}

#[tokio::test]
async fn a_body_that_does_not_come_holds_up_nobody() {
    let api = Api::start().await;
    let world = World::new(api.address);
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut client = world.client().await;
        client.send("POST /x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf").await;
        slow.push(client);
    }
    others_go_on(&world).await;
}

#[tokio::test]
async fn thousands_of_idle_connections_are_in_nobodys_way() {
    let api = Api::start().await;
    let world = World::new(api.address);
    let mut idle = Vec::new();
    for _ in 0..2000 {
        let mut client = world.client().await;
        if idle.len() % 10 == 0 {
            client.send(get("/x")).await;
            assert_eq!(client.answer().await.status, 200);
        }
        idle.push(client);
    }
    others_go_on(&world).await;
    drop(idle);
    others_go_on(&world).await;
}

#[tokio::test]
async fn a_head_of_a_mebibyte_is_refused() {
    let api = Api::start().await;
    let world = World::new(api.address);
    let long = "x".repeat(1024 * 1024);
    let many = "x-one: 1\r\n".repeat(1000);
    for request in [
        format!("GET /x HTTP/1.1\r\nhost: localhost\r\nx-long: {long}\r\n\r\n"),
        format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        format!("GET /x HTTP/1.1\r\nhost: localhost\r\n{many}\r\n"),
        long.clone(),
    ] {
        let mut client = world.client().await;
        let (mut from, mut to) = client.0.split();
        let sending = async {
            // It may be closed while this is still being sent.
            let _cut = to.write_all(request.as_bytes()).await;
        };
        let mut answer = Vec::new();
        let reading = async {
            let _reset = from.read_to_end(&mut answer).await;
        };
        within(async { tokio::join!(sending, reading) }).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert!(api.seen().is_empty());
    others_go_on(&world).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_makes_the_upstream_wait() {
    let (upstream, address) = Scripted::start().await;
    let world = World::new(address);
    let mut client = world.client().await;
    client.send(get("/endless")).await;
    let mut stream = upstream.connection().await;
    head(&mut stream).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x1_0000], b"\r\n"].concat();
    // Sockets hold a few MiB; what goes beyond would be in the proxy's memory.
    let mut taken = 0_usize;
    while let Ok(written) = tokio::time::timeout(Duration::from_secs(2), stream.write_all(&chunk)).await {
        written.unwrap();
        taken += chunk.len();
        assert!(taken < 64 * 1024 * 1024, "the proxy takes what its client does not read");
    }
    // It was only waiting.
    client.head().await;
    let mut read = vec![0; taken];
    within(client.0.read_exact(&mut read)).await.unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_request_along() {
    let (upstream, address) = Scripted::start().await;
    let world = World::new(address);
    let mut client = world.client().await;
    client.send(get("/long")).await;
    let mut stream = upstream.connection().await;
    head(&mut stream).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n").await.unwrap();
    client.until(b"hello").await.unwrap();
    drop(client);
    // Nobody pays for tokens that nobody reads.
    let mut rest = Vec::new();
    let _reset = within(stream.read_to_end(&mut rest)).await;
}

#[tokio::test]
async fn who_is_refused_in_mid_sentence_hears_why() {
    let api = Api::start().await;
    let route = json!({"prefix": "/", "connection": "api", "paths": ["/echo"]});
    let world = World::with(api.address, json!({"routes": [route]}));
    let length = 16 * 1024 * 1024;
    for (path, host, code) in [
        ("/x", "localhost", "path-not-allowed"),
        ("/../x", "localhost", "path-ambiguous"),
        ("/echo", "evil.example", "host-unexpected"),
    ] {
        let mut client = world.client().await;
        client
            .send(format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n"))
            .await;
        // As simple clients do: it all goes out before the answer is looked at.
        client.send(vec![b'x'; length]).await;
        assert_eq!(client.answer().await.code(), code);
        client.send(get("/echo")).await;
        assert_eq!(client.answer().await.status, 200, "{path} {host}");
    }
}

#[tokio::test]
async fn paths_that_are_not_utf_8_are_refused() {
    let api = Api::start().await;
    let world = World::new(api.address);
    for path in [&b"/\xff"[..], b"/\xc3\xa9", b"/%ff", b"/%00", b"/a%2fb", b"/a/../b", b"/a\\b", b"/%"] {
        let mut client = world.client().await;
        client.send([b"GET ", path, b" HTTP/1.1\r\nhost: localhost\r\n\r\n"].concat()).await;
        assert_eq!(client.answer().await.status, 400, "{path:?}");
    }
    assert!(api.seen().is_empty());
    others_go_on(&world).await;
}

#[tokio::test]
async fn an_upstream_that_dies_in_mid_stream_ends_that_answer_alone() {
    let api = Api::start().await;
    let world = Arc::new(World::new(api.address));
    let (dying, kept) = (api.stream(), api.stream());
    let (mut one, mut other) = (world.client().await, world.client().await);
    one.send(get("/stream")).await;
    one.head().await;
    other.send(get("/stream")).await;
    other.head().await;
    drop(dying);
    assert_eq!(one.chunk().await, Some(None));
    kept.send(hyper::body::Frame::data("on".into())).unwrap();
    assert_eq!(other.chunk().await.unwrap().unwrap(), b"on");
}
