//! Who is silent for too long is given up, and keeps the instance from nobody else.
//!
//! The limits are minutes; the clock of these instances jumps, so that a fraction of a second is left of them.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::api::Api;
use crate::client::{ask, get};
use crate::server::Server;

/// What is left of a limit.
const LEFT: Duration = Duration::from_millis(300);

fn only_a_moment_of(server: &Server, limit: Duration) {
    server.hasten(limit - LEFT);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_never_answers_is_given_up() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    only_a_moment_of(&server, Duration::from_secs(600));
    let asking = tokio::spawn(ask(server.address, get("/v1/x")));
    let mut call = api.next().await;
    let answer = asking.await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (504, "upstream-timeout"));
    call.closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_stops_coming_is_given_up() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    only_a_moment_of(&server, Duration::from_secs(60));
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /v1/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n";
    client.write_all(format!("{head}part").as_bytes()).await.unwrap();
    let mut call = api.next().await;
    assert_eq!(call.bytes(4).await, b"part");
    let answer = crate::streams::head(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    call.closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_is_given_up() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    only_a_moment_of(&server, Duration::from_secs(120));
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(b"GET /v1/x HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut call = api.next().await;
    call.write("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await;
    // More than all buffers on the way hold, until nobody takes it any more.
    call.overwhelm().await;
    // And the gateway is there for the next one.
    server.hasten(Duration::ZERO);
    let asking = tokio::spawn(ask(server.address, get("/v1/x")));
    api.next().await.write("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(asking.await.unwrap().status, 204);
    drop(client);
}
