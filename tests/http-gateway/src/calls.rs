//! What a request through the gateway is to the API.

use http::Request;
use serde_json::json;

use crate::api::{Api, KEY};
use crate::client::{ask, post};
use crate::server::Instances;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_leaves_with_the_credential_and_without_the_clients_own() {
    let world = World::start(Instances::OnePerRequest).await;
    let request = Request::get("/v1/models?limit=2")
        .header("authorization", "Bearer sk-theirs")
        .header("proxy-authorization", "Basic theirs")
        .header("x-api-key", "sk-theirs")
        .header("api-key", "sk-theirs")
        .header("x-goog-api-key", "theirs")
        .header("openai-organization", "org-theirs")
        .header("openai-project", "proj_theirs")
        .header("cookie", "session=theirs")
        .header("x-keyless-rejected", "1")
        .header("x-stainless-lang", "python")
        .body(bytes::Bytes::new());
    let answer = world.ask(request.unwrap()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["data"][0]["id"], "gpt-5");
    let call = &world.calls()[0];
    assert_eq!(call.path, "/v1/models?limit=2");
    assert!(call.header("authorization").unwrap().starts_with("Bearer sha256:"));
    assert_eq!(call.header("x-stainless-lang"), Some("python"));
    assert_eq!(call.header("via"), Some("1.1 keyless"));
    for gone in [
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "openai-organization",
        "openai-project",
        "cookie",
        "x-keyless-rejected",
    ] {
        assert_eq!(call.header(gone), None, "{gone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_answer_of_the_sandbox_is_whole() {
    let world = World::start(Instances::OnePerRequest).await;
    let body = json!({"model": "sandbox-1", "input": "Hello", "stream": true});
    let answer = world.ask(post("/v1/responses", &body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "text/event-stream; charset=utf-8");
    let events = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(events.contains("event: response.completed"), "{events}");
    assert_eq!(world.calls()[0].body["input"], "Hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_meant_for_one_hop_stays_there() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    let request = Request::post("/v1/x")
        .header("keep-alive", "5")
        .header("te", "trailers")
        .header("expect", "100-continue")
        .body(bytes::Bytes::from_static(b"body"));
    let asking = tokio::spawn(ask(server.address, request.unwrap()));
    let mut call = api.next().await;
    assert_eq!(call.bytes(4).await, b"body");
    let head = call.head.to_ascii_lowercase();
    assert!(head.starts_with("post /v1/x http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nauthorization: bearer {KEY}\r\n")), "{head}");
    assert!(head.contains(&format!("\r\nhost: {}\r\n", api.address)), "{head}");
    assert!(head.contains("\r\ncontent-length: 4\r\n"), "{head}");
    for gone in ["keep-alive", "\r\nte:", "expect"] {
        assert!(!head.contains(gone), "{head}");
    }
    call.write(
        "HTTP/1.1 201 Created\r\nset-cookie: a=b\r\nalt-svc: h3\r\nkeep-alive: timeout=5\r\n\
         retry-after: 3\r\ncontent-length: 2\r\n\r\nok",
    )
    .await;
    let answer = asking.await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (201, b"ok".as_slice()));
    assert_eq!(answer.headers["retry-after"], "3");
    for gone in ["set-cookie", "alt-svc", "keep-alive"] {
        assert!(!answer.headers.contains_key(gone), "{gone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_body_is_sent_as_one() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    for (method, length) in [("GET", None), ("POST", Some("0")), ("DELETE", None), ("HEAD", None)] {
        let request = Request::builder().method(method).uri("/v1/x").body(bytes::Bytes::new()).unwrap();
        let asking = tokio::spawn(ask(server.address, request));
        let mut call = api.next().await;
        let told = call.head.lines().find_map(|line| line.strip_prefix("content-length: "));
        assert_eq!(told, length, "{}", call.head);
        call.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(asking.await.unwrap().status, 200);
    }
}
