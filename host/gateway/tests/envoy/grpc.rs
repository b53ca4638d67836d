//! A client of gRPC, frame by frame.

use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Nothing here takes longer, unless it never comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// One call, on a connection of its own.
pub(crate) struct Call {
    outgoing: Option<mpsc::Sender<Result<Frame<Bytes>, std::convert::Infallible>>>,
    incoming: Incoming,
    received: BytesMut,
    /// The head of the answer, and its trailers when they have come.
    ends: HeaderMap,
}

impl Call {
    /// Sends the first message, and returns when the answer has begun.
    pub(crate) async fn open(address: &str, method: &str, first: &impl Message) -> Self {
        tokio::time::timeout(PATIENCE, Self::begin(address, method, first, true))
            .await
            .expect("nothing comes")
    }

    /// Sends the only message, and returns when the answer has begun.
    pub(crate) async fn unary(address: &str, method: &str, only: &impl Message) -> Self {
        tokio::time::timeout(PATIENCE, Self::begin(address, method, only, false))
            .await
            .expect("nothing comes")
    }

    async fn begin(address: &str, method: &str, first: &impl Message, more: bool) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        let _connection = tokio::spawn(connection);
        let (outgoing, frames) = mpsc::channel(4);
        outgoing.send(Ok(frame(first))).await.unwrap();
        let outgoing = more.then_some(outgoing);
        let request = Request::post(format!("http://{address}{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(StreamBody::new(ReceiverStream::new(frames)))
            .unwrap();
        let (head, incoming) = sender.send_request(request).await.unwrap().into_parts();
        assert_eq!(head.status, StatusCode::OK);
        assert!(head.headers["content-type"].as_bytes().starts_with(b"application/grpc"));
        Self { outgoing, incoming, received: BytesMut::new(), ends: head.headers }
    }

    pub(crate) async fn send(&self, message: &impl Message) {
        self.outgoing.as_ref().unwrap().send(Ok(frame(message))).await.unwrap();
    }

    /// The next message. `None`: the call has ended.
    pub(crate) async fn receive<M: Message + Default>(&mut self) -> Option<M> {
        loop {
            if let Some(message) = self.whole() {
                return Some(M::decode(message).unwrap());
            }
            let frame =
                tokio::time::timeout(PATIENCE, self.incoming.frame()).await.expect("nothing comes")?;
            match frame.unwrap().into_data() {
                Ok(data) => self.received.extend_from_slice(&data),
                Err(trailers) => self.ends.extend(trailers.into_trailers().unwrap()),
            }
        }
    }

    /// The `grpc-status` with which the service ends the call.
    pub(crate) async fn end_of_service(&mut self) -> u32 {
        while self.receive::<()>().await.is_some() {}
        self.ends["grpc-status"].to_str().unwrap().parse().unwrap()
    }

    /// Says nothing more, and returns the `grpc-status` with which the call ends.
    pub(crate) async fn end(mut self) -> u32 {
        self.outgoing = None;
        self.end_of_service().await
    }

    fn whole(&mut self) -> Option<Bytes> {
        let length = u32::from_be_bytes(self.received.get(1..5)?.try_into().unwrap()) as usize;
        self.received.get(5..5 + length)?;
        Some(self.received.split_to(5 + length).freeze().slice(5..))
    }
}

/// Uncompressed, with its length.
fn frame(message: &impl Message) -> Frame<Bytes> {
    let mut bytes = BytesMut::new();
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(message.encoded_len()).unwrap());
    message.encode(&mut bytes).unwrap();
    Frame::data(bytes.freeze())
}
