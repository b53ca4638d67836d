//! The span of one request: from its head to the end of its answer's body.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;

use super::Traces;
use super::context::{Caller, Context};
use super::span::{self, Kind, Span, Value};
use crate::service::{Body, BoxError};

/// A request under way. It ends when it is dropped.
pub(crate) struct Open {
    traces: Traces,
    started: Instant,
    span: Option<Span>,
}

impl Open {
    /// Takes over the trace of the caller, and tells whoever the request is passed on to. `None` for a request that its
    /// caller does not want recorded.
    pub(super) fn begin<B>(traces: &Traces, listener: &Arc<str>, request: &mut Request<B>) -> Option<Self> {
        let (context, parent) = match Caller::of(request.headers()) {
            Caller::NotSampled => return None,
            Caller::Untraced => (Context::new(), None),
            Caller::Traced(caller) => (caller.below(), Some(caller.span)),
        };
        context.pass_on(request.headers_mut());
        let (method, route) = (method(request.method()), span::route(request.uri().path()));
        let span = Span {
            context,
            parent,
            name: format!("{method} {route}"),
            kind: Kind::Server,
            started_at: SystemTime::now(),
            took: std::time::Duration::ZERO,
            attributes: vec![
                ("http.request.method", Value::Text(method.to_owned())),
                ("http.route", Value::Text(route)),
                ("keyless.listener", Value::Shared(Arc::clone(listener))),
            ],
            failed: false,
        };
        Some(Self { traces: traces.clone(), started: Instant::now(), span: Some(span) })
    }

    /// Lasts as long as the answer is being sent.
    pub(crate) fn answered(mut self, response: Response<Body>) -> Response<Body> {
        let status = response.status();
        if let Some(span) = &mut self.span {
            span.attributes.push(("http.response.status_code", Value::Number(u64::from(status.as_u16()))));
            span.failed = status.is_server_error();
        }
        response.map(|body| Watched { body, open: self }.boxed_unsync())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(mut span) = self.span.take() {
            span.took = self.started.elapsed();
            self.traces.ended(span);
        }
    }
}

/// Any other could be a word of the client's choice.
fn method(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}

/// A body, and the span that ends with it.
struct Watched {
    body: Body,
    open: Open,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(task);
        if let (Poll::Ready(Some(Err(_))), Some(span)) = (&polled, &mut self.open.span) {
            span.failed = true;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
