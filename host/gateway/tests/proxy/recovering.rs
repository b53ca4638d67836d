//! A rejected credential, an upstream that has gone, and what is sent once more.

use std::sync::atomic::Ordering;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::upstream::{Api, Scripted, head};
use crate::world::{World, get, post, within};

#[tokio::test]
async fn a_401_is_followed_by_one_replay_with_the_next_credential() {
    for http2 in [false, true] {
        let api = Api::start().await;
        let world = World::new(api.address);
        world.network.http2.store(http2, Ordering::Relaxed);
        api.accepted.store(2, Ordering::Relaxed);
        let answer = world.ask(&post("/echo", "kept")).await;
        assert_eq!((answer.status, answer.json()["body"].as_str()), (200, Some("kept")));
        assert_eq!(*world.credentials.rejected.lock().unwrap(), [1]);
        assert_eq!(api.seen(), ["POST /v1/echo", "POST /v1/echo"]);
        assert_eq!(world.counted("replayed").await, 1);
    }
}

#[tokio::test]
async fn there_is_no_second_replay() {
    let api = Api::start().await;
    let world = World::new(api.address);
    api.accepted.store(9, Ordering::Relaxed);
    let answer = world.ask(&post("/echo", "kept")).await;
    assert_eq!((answer.status, &*answer.text()), (401, "not this credential"));
    assert_eq!(api.seen().len(), 2);
}

#[tokio::test]
async fn without_a_newer_credential_the_401_is_the_answer() {
    let api = Api::start().await;
    let world = World::new(api.address);
    world.credentials.renews.store(false, Ordering::Relaxed);
    api.accepted.store(2, Ordering::Relaxed);
    assert_eq!(world.ask(&get("/echo")).await.status, 401);
    assert_eq!(api.seen().len(), 1);
    assert_eq!(*world.credentials.rejected.lock().unwrap(), [1]);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_not_replayed() {
    for (limit, body, replayed) in [(8, "12345678", true), (8, "123456789", false), (0, "1", false)] {
        for chunked in [false, true] {
            let api = Api::start().await;
            let route = json!({"prefix": "/", "connection": "api", "replay_limit": limit});
            let world = World::with(api.address, json!({"routes": [route]}));
            api.accepted.store(2, Ordering::Relaxed);
            let request = if chunked {
                let length = body.len();
                format!(
                    "POST /echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n\
                     {length:x}\r\n{body}\r\n0\r\n\r\n"
                )
            } else {
                post("/echo", body)
            };
            let answer = world.ask(&request).await;
            assert_eq!(answer.status, if replayed { 200 } else { 401 }, "{limit} {body} {chunked}");
            assert_eq!(*world.credentials.rejected.lock().unwrap(), [1]);
            // The next one is sent with the next credential.
            assert_eq!(world.ask(&get("/echo")).await.status, 200);
        }
    }
}

#[tokio::test]
async fn an_upload_that_is_still_coming_is_replayed_from_its_beginning() {
    let (upstream, address) = Scripted::start().await;
    let world = World::new(address);
    let mut client = world.client().await;
    client.send("POST /x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nfirst").await;
    let mut early = upstream.connection().await;
    assert!(head(&mut early).await.contains("Bearer token-1"));
    let mut half = [0; 5];
    within(early.read_exact(&mut half)).await.unwrap();
    early
        .write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut next = upstream.connection().await;
    assert!(head(&mut next).await.contains("Bearer token-2"));
    client.send("after").await;
    let mut whole = [0; 10];
    within(next.read_exact(&mut whole)).await.unwrap();
    assert_eq!(&whole, b"firstafter");
    next.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
    assert_eq!(client.answer().await.text(), "ok");
}

#[tokio::test]
async fn without_a_credential_it_says_so_and_when_to_come_back() {
    let api = Api::start().await;
    let world = World::new(api.address);
    world.credentials.hold_none();
    let answer = world.ask(&get("/echo")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("7")));
    assert_eq!(answer.code(), "exchange-refused");
    assert!(api.seen().is_empty());
    assert_eq!(world.counted("no-credential").await, 1);
}

#[tokio::test]
async fn an_upstream_that_is_not_there() {
    let (upstream, address) = Scripted::start().await;
    drop(upstream);
    let world = World::new(address);
    let answer = world.ask(&get("/echo")).await;
    assert_eq!((answer.status, &*answer.code()), (502, "upstream-unreachable"));
    assert_eq!(world.counted("upstream-unreachable").await, 1);
}

#[tokio::test]
async fn an_upstream_that_answers_nothing_or_no_http() {
    for says in ["", "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"] {
        let (upstream, address) = Scripted::start().await;
        let world = World::new(address);
        let mut client = world.client().await;
        client.send(post("/x", "charged for")).await;
        let mut stream = upstream.connection().await;
        head(&mut stream).await;
        within(stream.read_exact(&mut [0; 11])).await.unwrap();
        stream.write_all(says.as_bytes()).await.unwrap();
        drop(stream);
        // Perhaps it was dealt with: it is not sent again.
        assert_eq!(client.answer().await.code(), "upstream-failed", "{says:?}");
        assert_eq!(*world.network.connections.borrow(), 1);
        assert_eq!(world.counted("upstream-failed").await, 1);
    }
}

#[tokio::test]
async fn a_connection_closed_while_it_rested_is_not_the_clients_concern() {
    let (upstream, address) = Scripted::start().await;
    let world = World::new(address);
    let mut client = world.client().await;
    let mut stream = None;
    for round in 0..5 {
        client.send(post("/x", "hello")).await;
        let mut rested = match stream.take() {
            Some(rested) => rested,
            None => upstream.connection().await,
        };
        if round > 0 {
            // It has taken the request and closes, as a server does whose time-out has just passed.
            head(&mut rested).await;
            drop(rested);
            rested = upstream.connection().await;
        }
        head(&mut rested).await;
        within(rested.read_exact(&mut [0; 5])).await.unwrap();
        rested.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        assert_eq!(client.answer().await.status, 200, "round {round}");
        stream = Some(rested);
    }
    assert_eq!(world.counted("resent").await, 4);
}

#[tokio::test]
async fn an_answer_that_ends_early_is_not_taken_for_a_whole_one() {
    for (start, cut) in [
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", "chunks"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", "length"),
    ] {
        let (upstream, address) = Scripted::start().await;
        let world = World::new(address);
        let mut client = world.client().await;
        client.send(get("/x")).await;
        let mut stream = upstream.connection().await;
        head(&mut stream).await;
        stream.write_all(start.as_bytes()).await.unwrap();
        client.until(b"hello").await.unwrap();
        drop(stream);
        let mut rest = Vec::new();
        let _reset = within(client.0.read_to_end(&mut rest)).await;
        assert!(!String::from_utf8_lossy(&rest).contains("0\r\n"), "{cut}: {rest:?}");
        assert_eq!(world.counted("answer-cut").await, 1);
    }
}
