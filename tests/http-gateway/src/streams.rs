//! Bodies pass as they come, both ways, and end as they ended.

use bytes::Bytes;
use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::api::{Api, chunk};
use crate::client::{ask, get, open, piece, within};

const STREAMED: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_there_before_the_next_one_is_sent() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    let asking = tokio::spawn(open(server.address, get("/v1/responses")));
    let mut call = api.next().await;
    call.write(STREAMED).await;
    // The head is there before any event.
    let mut answer = asking.await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
        call.write(&chunk(event)).await;
        assert_eq!(piece(&mut answer).await.unwrap().unwrap(), event);
    }
    call.write("0\r\n\r\n").await;
    assert!(piece(&mut answer).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_body_passes_whole_in_both_directions() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    // Longer than every buffer on the way, and no piece like another.
    let long: Vec<u8> = (0..3_000_000_u32).flat_map(|number| number.to_le_bytes()).collect();
    let asking =
        tokio::spawn(ask(server.address, Request::post("/v1/x").body(Bytes::from(long.clone())).unwrap()));
    let mut call = api.next().await;
    assert_eq!(call.bytes(long.len()).await, long);
    call.write(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1_000_000 * 8)).await;
    for _ in 0..1_000_000 / 1_000 {
        call.write(&"12345678".repeat(1_000)).await;
    }
    assert_eq!(asking.await.unwrap().body, "12345678".repeat(1_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_may_begin_before_the_request_has_ended() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /v1/x HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    client.write_all(format!("{head}{}", chunk("one")).as_bytes()).await.unwrap();
    let mut call = api.next().await;
    call.until(b"one\r\n").await;
    call.write(&format!("{STREAMED}{}", chunk("first"))).await;
    until(&mut client, b"first\r\n").await;
    client.write_all(format!("{}0\r\n\r\n", chunk("two")).as_bytes()).await.unwrap();
    call.until(b"two\r\n0\r\n\r\n").await;
    call.write(&format!("{}0\r\n\r\n", chunk("second"))).await;
    until(&mut client, b"second\r\n0\r\n\r\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_not_taken_for_whole() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    for head in [STREAMED, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"] {
        let asking = tokio::spawn(open(server.address, get("/v1/x")));
        let mut call = api.next().await;
        let part = if head == STREAMED { chunk("part") } else { "part".to_owned() };
        call.write(&format!("{head}{part}")).await;
        let mut answer = asking.await.unwrap();
        assert_eq!(piece(&mut answer).await.unwrap().unwrap(), "part");
        drop(call);
        assert!(piece(&mut answer).await.unwrap().is_err(), "an end that is none");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_breaks_off_takes_its_request_along() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /v1/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\npart";
    client.write_all(head.as_bytes()).await.unwrap();
    let mut call = api.next().await;
    assert_eq!(call.bytes(4).await, b"part");
    drop(client);
    call.closed().await;
    // And the gateway is there for the next one.
    let asking = tokio::spawn(ask(server.address, get("/v1/x")));
    api.next().await.write("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(asking.await.unwrap().status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_of_an_answer_pass() {
    let api = Api::listen().await;
    let server = api.behind_a_gateway().await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(b"GET /v1/x HTTP/1.1\r\nhost: localhost\r\nte: trailers\r\n\r\n").await.unwrap();
    let mut call = api.next().await;
    call.write(&STREAMED.replace("transfer-encoding", "trailer: x-sum\r\ntransfer-encoding")).await;
    call.write(&format!("{}0\r\nx-sum: 1\r\n\r\n", chunk("all"))).await;
    until(&mut client, b"0\r\nx-sum: 1\r\n\r\n").await;
}

async fn until(client: &mut TcpStream, end: &[u8]) {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        let byte = within(client.read_u8()).await;
        read.push(byte.unwrap_or_else(|error| panic!("{error} after {}", String::from_utf8_lossy(&read))));
    }
}

/// The head of an answer, with the empty line.
pub(crate) async fn head(client: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(within(client.read_u8()).await.expect("an answer"));
    }
    String::from_utf8(read).unwrap()
}
