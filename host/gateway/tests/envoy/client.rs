//! A client of HTTP/1.1 and HTTP/2.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;

/// An answer that has come wholly.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// A header's value; empty where it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The `code` of an error.
    pub(crate) fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["error"]["type"], "keyless");
        body["error"]["code"].as_str().unwrap().to_owned()
    }
}

/// Sends one request on a connection of its own.
pub(crate) async fn send(address: &str, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let _connection = tokio::spawn(connection);
    let request = request(method, target, headers).header("host", address);
    whole(sender.send_request(request.body(Full::new(Bytes::new())).unwrap()).await.unwrap()).await
}

/// The same over HTTP/2.
pub(crate) async fn send_http2(address: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let _connection = tokio::spawn(connection);
    let request = request(method, &format!("http://{address}{path}"), headers);
    whole(sender.send_request(request.body(Full::new(Bytes::new())).unwrap()).await.unwrap()).await
}

fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> http::request::Builder {
    let request = Request::builder().method(method).uri(target);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

async fn whole(response: Response<Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}
