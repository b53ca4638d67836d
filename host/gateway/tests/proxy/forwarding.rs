//! What arrives, and what comes back.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Frame;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::upstream::{self, Api};
use crate::world::{World, get, post, within};

#[tokio::test]
async fn the_credential_is_set_and_the_rest_goes_through() {
    let api = Api::start().await;
    let world = World::new(api.address);
    let request = "POST /chat/completions?x=%20y HTTP/1.1\r\nhost: localhost:1\r\nauthorization: Bearer theirs\r\n\
                   x-api-key: theirs\r\ncookie: a=b\r\nconnection: x-hop\r\nx-hop: 1\r\nx-mine: 2\r\n\
                   content-length: 5\r\n\r\nhello";
    let answer = world.ask(request).await;
    assert_eq!(answer.status, 200);
    let seen = answer.json();
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["uri"], "/v1/chat/completions?x=%20y");
    assert_eq!(seen["body"], "hello");
    let mut headers: Vec<(String, String)> = serde_json::from_value(seen["headers"].clone()).unwrap();
    headers.sort();
    let expected = [
        ("authorization", "Bearer token-1"),
        ("content-length", "5"),
        ("host", &*api.address.to_string()),
        ("via", "1.1 keyless"),
        ("x-mine", "2"),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_connection_is_used_again_for_requests_one_after_the_other() {
    for http2 in [false, true] {
        let api = Api::start().await;
        let world = World::new(api.address);
        world.network.http2.store(http2, Ordering::Relaxed);
        let mut client = world.client().await;
        for round in 0..20 {
            client.send(post("/echo", &format!("round {round}"))).await;
            let seen = client.answer().await.json();
            assert_eq!(seen["body"], format!("round {round}"));
            assert_eq!(seen["version"], if http2 { "HTTP/2.0" } else { "HTTP/1.1" });
        }
        assert_eq!(api.connections.load(Ordering::Relaxed), 1, "HTTP/2: {http2}");
    }
}

#[tokio::test]
async fn an_event_leaves_as_it_came() {
    for http2 in [false, true] {
        let api = Api::start().await;
        let world = World::new(api.address);
        world.network.http2.store(http2, Ordering::Relaxed);
        let events = api.stream();
        let mut client = world.client().await;
        client
            .send("GET /stream HTTP/1.1\r\nhost: localhost\r\nte: trailers\r\nconnection: te\r\n\r\n")
            .await;
        assert!(client.head().await.contains("text/event-stream"));
        for event in ["data: one\n\n", "data: two\n\n", "data: three\n\n"] {
            events.send(Frame::data(Bytes::from(event))).unwrap();
            assert_eq!(client.chunk().await.unwrap().unwrap(), event.as_bytes());
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "9".parse().unwrap());
        events.send(Frame::trailers(trailers)).unwrap();
        drop(events);
        assert_eq!(client.until(b"\r\n\r\n").await.unwrap(), b"0\r\nx-sum: 9\r\n\r\n", "HTTP/2: {http2}");
    }
}

#[tokio::test]
async fn an_upload_goes_as_it_comes_with_its_trailers() {
    let api = Api::start().await;
    let world = World::new(api.address);
    let mut client = world.client().await;
    client
        .send(
            "POST /echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\
             expect: 100-continue\r\n\r\n",
        )
        .await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("5\r\nhello\r\n").await;
    client.send("6\r\n world\r\n0\r\nx-sum: 11\r\n\r\n").await;
    let seen = client.answer().await.json();
    assert_eq!(seen["body"], "hello world");
    assert_eq!(seen["trailer"], "11");
}

#[tokio::test]
async fn without_a_prefix_paths_are_those_of_the_api() {
    let api = Api::start().await;
    let world = World::with(api.address, json!({"connection": "api"}));
    for path in ["/v1/models", "/v1", "/v1/", "/v1/responses?q=1"] {
        assert_eq!(world.ask(&get(path)).await.json()["uri"], path);
    }
    for path in ["/models", "/", "/v2/models", "/v1x/models"] {
        let answer = world.ask(&get(path)).await;
        assert_eq!((answer.status, &*answer.code()), (404, "route-unknown"), "{path}");
    }
    assert_eq!(api.seen().len(), 4);

    let upstream = format!("http://{}/other/", api.address);
    let routes = json!({"routes": [{"connection": "api", "upstream": upstream, "paths": ["/other/x"]}]});
    let world = World::with(api.address, routes);
    assert_eq!(world.ask(&get("/other/x")).await.json()["uri"], "/other/x");
    assert_eq!(world.ask(&get("/other/y")).await.status, 403);
}

#[tokio::test]
async fn the_longest_prefix_wins_and_is_taken_off() {
    let api = Api::start().await;
    let upstream = format!("http://{}/other/", api.address);
    let world = World::with(
        api.address,
        json!({"routes": [
            {"prefix": "/", "connection": "api"},
            {"prefix": "/a", "connection": "api", "upstream": upstream},
            {"prefix": "/a/b", "connection": "api", "paths": ["/x", "/models/*"]},
        ]}),
    );
    for (path, arrives) in [
        ("/a", "/other"),
        ("/a?q", "/other?q"),
        ("/a/", "/other/"),
        ("/ab", "/v1/ab"),
        ("/a/b/x", "/v1/x"),
        ("/a/b/models/gpt?q=1", "/v1/models/gpt?q=1"),
        ("/a/bc", "/other/bc"),
    ] {
        let answer = world.ask(&get(path)).await;
        assert_eq!(answer.json()["uri"], arrives, "{path}");
    }
    let before = api.seen().len();
    for (path, status, code) in [
        ("/a/b", 403, "path-not-allowed"),
        ("/a/b/y", 403, "path-not-allowed"),
        ("/a/b/models/x/y", 403, "path-not-allowed"),
        ("/a/b/x/..", 400, "path-ambiguous"),
        ("/a/b/models/..%2f..", 400, "path-ambiguous"),
        ("/a/b/models/%252e%252e", 400, "path-ambiguous"),
    ] {
        let answer = world.ask(&get(path)).await;
        assert_eq!((answer.status, &*answer.code()), (status, code), "{path}");
    }
    assert_eq!(api.seen().len(), before);
}

#[tokio::test]
async fn models_are_looked_up() {
    let api = Api::start().await;
    let route = json!({"prefix": "/", "connection": "api", "models": ["claude-*"]});
    let world = World::with(api.address, json!({"routes": [route]}));
    let allowed = r#"{"input": "x", "model": "claude-x"}"#;
    assert_eq!(world.ask(&post("/messages", allowed)).await.json()["body"], allowed);
    assert_eq!(world.ask(&get("/models")).await.status, 200);
    assert_eq!(world.ask(&post("/cancel", "")).await.status, 200);
    let before = api.seen().len();
    for request in [
        post("/messages", r#"{"model": "gpt-4"}"#),
        post("/messages", r#"{"model": "claude-x", "model": "gpt-4"}"#),
        post("/messages", r#"{"input": "x"}"#),
        post("/messages", "--boundary"),
        post("/messages?model=gpt-4", allowed),
        get("/realtime?model=gpt-4"),
    ] {
        let answer = world.ask(&request).await;
        assert_eq!((answer.status, &*answer.code()), (403, "model-not-allowed"), "{request}");
    }
    assert_eq!(api.seen().len(), before);
}

#[tokio::test]
async fn a_redirect_is_the_clients_business() {
    let api = Api::start().await;
    let world = World::new(api.address);
    let answer = world.ask(&get("/redirect")).await;
    assert_eq!((answer.status, answer.header("location")), (302, Some("https://elsewhere.example/")));
}

#[tokio::test]
async fn what_would_show_the_credential_or_go_anywhere_is_refused() {
    let api = Api::start().await;
    let world = World::new(api.address);
    for request in [
        "TRACE /x HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "CONNECT localhost:1 HTTP/1.1\r\nhost: localhost:1\r\n\r\n",
    ] {
        assert_eq!(world.ask(request).await.code(), "method-not-allowed");
    }
    assert!(api.seen().is_empty());
}

#[tokio::test]
async fn a_head_has_no_body_and_its_connection_is_used_again() {
    let api = Api::start().await;
    let world = World::new(api.address);
    let mut client = world.client().await;
    for _ in 0..3 {
        client.send("HEAD /echo HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert!(client.head().await.starts_with("HTTP/1.1 200"));
        client.send(get("/echo")).await;
        assert_eq!(client.answer().await.json()["method"], "GET");
    }
    assert_eq!(api.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_client_of_http_2_gets_all_its_streams() {
    for http2 in [false, true] {
        let api = Api::start().await;
        let world = World::new(api.address);
        world.network.http2.store(http2, Ordering::Relaxed);
        let client = world.http2_client().await;
        let answers = (0..50).map(|number| {
            let mut client = client.clone();
            async move {
                let request = Request::post("http://localhost/echo");
                let request = request
                    .header("te", "trailers")
                    .body(Full::new(Bytes::from(number.to_string())))
                    .unwrap();
                let answer = within(client.send_request(request)).await.unwrap();
                assert_eq!(answer.status(), 200);
                let body = answer.into_body().collect().await.unwrap().to_bytes();
                let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(seen["body"], number.to_string());
                let headers: Vec<(String, String)> = serde_json::from_value(seen["headers"].clone()).unwrap();
                assert!(headers.contains(&("via".to_owned(), "2 keyless".to_owned())), "{headers:?}");
                assert!(headers.contains(&("te".to_owned(), "trailers".to_owned())), "{headers:?}");
            }
        });
        let mut under_way = tokio::task::JoinSet::new();
        answers.for_each(|answer| drop(under_way.spawn(answer)));
        under_way.join_all().await;
        let mut client = client.clone();
        let connect = Request::connect("localhost:443").body(Full::default()).unwrap();
        assert_eq!(within(client.send_request(connect)).await.unwrap().status(), 405);
    }
}

#[tokio::test]
async fn more_streams_than_an_upstream_allows_take_a_further_connection() {
    let api = Api::start().await;
    let world = World::new(api.address);
    world.network.http2.store(true, Ordering::Relaxed);
    // One client connection, so one thread and its connections.
    let mut client = world.http2_client().await;
    let mut open = Vec::new();
    for _ in 0..2 * upstream::STREAMS + 1 {
        let events = api.stream();
        let request = Request::get("http://localhost/stream").body(Full::default()).unwrap();
        let answer = within(client.send_request(request)).await.unwrap();
        open.push((events, answer.into_body()));
    }
    assert_eq!(api.connections.load(Ordering::Relaxed), 3);
    for (events, answer) in &mut open {
        events.send(Frame::data(Bytes::from_static(b"on"))).unwrap();
        assert_eq!(within(answer.frame()).await.unwrap().unwrap().into_data().unwrap(), "on");
    }
}

#[tokio::test]
async fn connections_that_cannot_be_shared_are_opened_side_by_side() {
    let api = Api::start().await;
    let world = World::new(api.address);
    world.network.gate.forget_permits(Semaphore::MAX_PERMITS);
    let cores = std::thread::available_parallelism().unwrap().get();
    let mut open = Vec::new();
    for _ in 0..4 * cores {
        // Each needs a connection for as long as this lasts.
        let events = api.stream();
        let mut client = world.client().await;
        client.send(get("/stream")).await;
        open.push((client, events));
    }
    let mut asked_for = world.network.connections.subscribe();
    // The first of each core tells the others that it is not HTTP/2, and then they are not held up by one another.
    world.network.gate.add_permits(cores);
    within(asked_for.wait_for(|asked_for| *asked_for == open.len())).await.unwrap();
    world.network.gate.add_permits(open.len());
    for (client, _) in &mut open {
        assert!(client.head().await.starts_with("HTTP/1.1 200"));
    }
}
