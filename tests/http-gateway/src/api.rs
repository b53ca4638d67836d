//! An API that does what a test says, byte by byte.

use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::client::within;
use crate::network::Network;
use crate::server::{Given, Instances, Server};

/// The key that opens it: without traffic for a token, every request is the gateway's own.
pub(crate) const KEY: &str = "sk-of-the-connection";

pub(crate) struct Api {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Api {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    /// A gateway in front of it.
    pub(crate) async fn behind_a_gateway(&self) -> Server {
        let base_url = format!("http://{}/v1", self.address);
        let document = json!({"api_key": KEY, "api": {"base_url": base_url}}).to_string();
        let environment = vec![("KEYLESS_CONNECTION".to_owned(), document)];
        let given = Given { environment, directory: None, network: Network::trusting(None) };
        Server::start(given, Instances::One).await
    }

    /// The next request, with its head read.
    pub(crate) async fn next(&self) -> Call {
        let (stream, _) = within(self.listener.accept()).await.unwrap();
        let mut call = Call { stream, head: String::new() };
        call.head = call.until(b"\r\n\r\n").await;
        call
    }
}

/// A request at the API.
pub(crate) struct Call {
    stream: TcpStream,
    /// With the empty line.
    pub(crate) head: String,
}

impl Call {
    /// Up to these bytes.
    pub(crate) async fn until(&mut self, end: &[u8]) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end) {
            read.push(within(self.stream.read_u8()).await.expect("more of the request"));
        }
        String::from_utf8(read).unwrap()
    }

    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut read = vec![0; count];
        within(self.stream.read_exact(&mut read)).await.unwrap();
        read
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Writes until the gateway takes no more and closes the connection.
    pub(crate) async fn overwhelm(&mut self) {
        let much = vec![b'x'; 1_000_000];
        while within(self.stream.write_all(&much)).await.is_ok() {}
    }

    /// Returns when the gateway has closed the connection.
    pub(crate) async fn closed(&mut self) {
        while within(self.stream.read_u8()).await.is_ok() {}
    }
}

/// One chunk of HTTP/1.1's chunked encoding.
pub(crate) fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}
