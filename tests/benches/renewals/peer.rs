//! hyper, with nothing around it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::TokioExecutor;
use keyless::sender::Network;

use crate::sandbox::Outside;

pub(crate) struct Peer {
    tokio: tokio::runtime::Runtime,
    connection: SendRequest<Full<Bytes>>,
    request: Request<Bytes>,
}

impl Peer {
    /// On a connection of the library's, so that TLS is the same.
    pub(crate) fn connect(outside: &Outside, request: Request<Bytes>) -> Self {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let network = Network::new(&[outside.sandbox.ca_pem().as_bytes().to_vec()], Vec::new());
        let network = network.expect("a network");
        let uri: &Uri = request.uri();
        let connection = tokio.block_on(async {
            let stream = network.connect(uri, false, None).await.expect("a connection");
            assert!(stream.is_http2(), "as the library's");
            let (connection, driver) =
                handshake(TokioExecutor::new(), stream).await.expect("a connection of HTTP/2");
            tokio::spawn(driver);
            connection
        });
        Self { tokio, connection, request }
    }

    /// Requests per second, so many at once, for so long.
    pub(crate) fn send(&self, how_long: Duration, at_once: usize) -> f64 {
        self.tokio.block_on(async {
            let began = Instant::now();
            let all: Vec<_> = (0..at_once)
                .map(|_| {
                    let (mut connection, request) = (self.connection.clone(), self.request.clone());
                    tokio::spawn(async move {
                        let mut answered = 0_u32;
                        while began.elapsed() < how_long {
                            connection.ready().await.expect("a connection");
                            let answer = connection.send_request(request.clone().map(Full::new));
                            let answer = answer.await.expect("an answer");
                            assert_eq!(answer.status(), 200);
                            answer.into_body().collect().await.expect("all of it");
                            answered += 1;
                        }
                        answered
                    })
                })
                .collect();
            let mut answered = 0;
            for one in all {
                answered += one.await.expect("no panic");
            }
            f64::from(answered) / began.elapsed().as_secs_f64()
        })
    }
}
