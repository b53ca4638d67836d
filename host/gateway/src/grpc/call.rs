//! One call, from a request to its response.

use std::pin::Pin;

use futures_core::Stream;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, Version};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use prost::Message;
use tonic::server::{Grpc, StreamingService, UnaryService};
use tonic::{Status, Streaming};
use tonic_prost::ProstCodec;

use crate::service::{Answering, Body, BoxError};

/// The largest message that is read. What Envoy says of itself (`Node`) can take some hundred KiB in a service mesh.
const LARGEST: usize = 1024 * 1024;

/// Answers of a streaming call, as they come.
pub(crate) type Replies<O> = Pin<Box<dyn Stream<Item = Result<O, Status>> + Send>>;

/// Whether a request is a gRPC call (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
pub(crate) fn is_call<B>(request: &Request<B>) -> bool {
    let grpc = |value: &http::HeaderValue| value.as_bytes().starts_with(b"application/grpc");
    request.version() == Version::HTTP_2
        && request.method() == Method::POST
        && request.headers().get(CONTENT_TYPE).is_some_and(grpc)
}

/// One message, one answer.
pub(crate) fn unary<I, O, F>(
    request: Request<Incoming>,
    answer: impl FnOnce(I) -> F + Send + 'static,
) -> Answering
where
    I: Message + Default + 'static,
    O: Message + Default + 'static,
    F: Future<Output = O> + Send + 'static,
{
    let mut grpc = Grpc::new(ProstCodec::<O, I>::default()).max_decoding_message_size(LARGEST);
    Box::pin(async move { body(grpc.unary(Once(Some(answer)), request).await) })
}

/// Messages both ways.
pub(crate) fn streaming<I, O>(
    request: Request<Incoming>,
    answer: impl FnOnce(Streaming<I>) -> Replies<O> + Send + 'static,
) -> Answering
where
    I: Message + Default + 'static,
    O: Message + Default + 'static,
{
    let mut grpc = Grpc::new(ProstCodec::<O, I>::default()).max_decoding_message_size(LARGEST);
    Box::pin(async move { body(grpc.streaming(Once(Some(answer)), request).await) })
}

/// For a method that is not answered here.
pub(crate) fn unimplemented() -> Answering {
    let response = body(Status::unimplemented("this listener does not answer this method").into_http());
    Box::pin(std::future::ready(response))
}

fn body(response: Response<tonic::body::Body>) -> Response<Body> {
    response.map(|body| body.map_err(BoxError::from).boxed_unsync())
}

/// Called once: tonic's traits leave room for more.
struct Once<T>(Option<T>);

impl<T> Once<T> {
    fn take(&mut self) -> Result<T, Status> {
        self.0.take().ok_or_else(|| Status::internal("called twice"))
    }
}

impl<I, O, F, T> UnaryService<I> for Once<T>
where
    I: Send + 'static,
    F: Future<Output = O> + Send + 'static,
    T: FnOnce(I) -> F + Send,
{
    type Response = O;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<O>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<I>) -> Self::Future {
        let answer = self.take().map(|answer| answer(request.into_inner()));
        Box::pin(async move { Ok(tonic::Response::new(answer?.await)) })
    }
}

impl<I, O, T> StreamingService<I> for Once<T>
where
    T: FnOnce(Streaming<I>) -> Replies<O> + Send,
{
    type Response = O;
    type ResponseStream = Replies<O>;
    type Future = std::future::Ready<Result<tonic::Response<Replies<O>>, Status>>;

    fn call(&mut self, request: tonic::Request<Streaming<I>>) -> Self::Future {
        let replies = self.take().map(|answer| answer(request.into_inner()));
        std::future::ready(replies.map(tonic::Response::new))
    }
}
