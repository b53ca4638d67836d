//! A client of the gateway.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Of an error of the gateway's own.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        assert_eq!(body["error"]["type"], "keyless", "{body}");
        body["error"]["code"].as_str().unwrap().to_owned()
    }
}

/// Sends a request; the answer as soon as its head is there.
pub(crate) async fn open(server: SocketAddr, request: Request<Bytes>) -> Response<Incoming> {
    let stream = TcpStream::connect(server).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    drop(tokio::spawn(connection));
    let mut request = request.map(Full::new);
    if !request.headers().contains_key("host") {
        let host = server.to_string().parse().unwrap();
        request.headers_mut().insert("host", host);
    }
    within(sender.send_request(request)).await.unwrap()
}

pub(crate) async fn ask(server: SocketAddr, request: Request<Bytes>) -> Answer {
    let (head, body) = open(server, request).await.into_parts();
    let body = within(body.collect()).await.unwrap().to_bytes();
    Answer { status: head.status, headers: head.headers, body }
}

pub(crate) fn get(path: &str) -> Request<Bytes> {
    Request::get(path).body(Bytes::new()).unwrap()
}

/// JSON.
pub(crate) fn post(path: &str, body: &Value) -> Request<Bytes> {
    let body = Bytes::from(body.to_string());
    Request::post(path).header("content-type", "application/json").body(body).unwrap()
}

/// The next piece of an answer; `None` at its end.
pub(crate) async fn piece(answer: &mut Response<Incoming>) -> Option<Result<Bytes, hyper::Error>> {
    let frame = within(answer.body_mut().frame()).await?;
    Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
}

/// Nothing in these tests takes this long.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("nothing happened for 60 s")
}
