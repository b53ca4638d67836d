//! The record of one request, from its head to the end of its answer's body: a span, a line of the log at `debug`, or both.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;

use super::Traces;
use super::context::{Caller, Context};
use super::span::{self, Kind, Span, Value};
use crate::service::{Body, BoxError};

/// A request under way. Its record is made when it is dropped.
pub(crate) struct Open {
    listener: Arc<str>,
    method: &'static str,
    route: String,
    started_at: SystemTime,
    started: Instant,
    traced: Option<Place>,
    /// `None` as long as there is no answer: the client has left before.
    status: Option<StatusCode>,
    /// Of the answer's body.
    bytes: u64,
    /// Whether the answer's body broke off.
    cut: bool,
}

/// Where it is in a trace.
struct Place {
    traces: Traces,
    context: Context,
    parent: Option<u64>,
}

impl Open {
    /// Takes over the trace of the caller, and tells whoever the request is passed on to. `None` when nobody wants a record:
    /// the log is not at `debug`, and traces are not sent or the caller does not want this one to be recorded.
    pub(super) fn begin<B>(
        traces: Option<&Traces>,
        listener: &Arc<str>,
        request: &mut Request<B>,
    ) -> Option<Self> {
        let traced = traces.and_then(|traces| {
            let (context, parent) = match Caller::of(request.headers()) {
                Caller::NotSampled => return None,
                Caller::Untraced => (Context::new(), None),
                Caller::Traced(caller) => (caller.below(), Some(caller.span)),
            };
            context.pass_on(request.headers_mut());
            Some(Place { traces: traces.clone(), context, parent })
        });
        if traced.is_none() && !tracing::enabled!(tracing::Level::DEBUG) {
            return None;
        }
        Some(Self {
            listener: Arc::clone(listener),
            method: method(request.method()),
            route: span::route(request.uri().path()),
            started_at: SystemTime::now(),
            started: Instant::now(),
            traced,
            status: None,
            bytes: 0,
            cut: false,
        })
    }

    /// Lasts as long as the answer is being sent.
    pub(crate) fn answered(mut self, response: Response<Body>) -> Response<Body> {
        self.status = Some(response.status());
        response.map(|body| Watched { body, open: self }.boxed_unsync())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        tracing::debug!(
            listener = &*self.listener,
            method = self.method,
            route = self.route,
            status = self.status.map(|status| status.as_u16()),
            elapsed_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            bytes = self.bytes,
            cut = self.cut,
            trace = self.traced.as_ref().map(|place| format!("{:032x}", place.context.trace)),
            "answered"
        );
        if let Some(place) = self.traced.take() {
            let span = self.span(&place, took);
            place.traces.ended(span);
        }
    }
}

impl Open {
    fn span(&mut self, place: &Place, took: Duration) -> Span {
        let route = std::mem::take(&mut self.route);
        let name = format!("{} {route}", self.method);
        let mut attributes = vec![
            ("http.request.method", Value::Text(self.method.to_owned())),
            ("http.route", Value::Text(route)),
            ("keyless.listener", Value::Shared(Arc::clone(&self.listener))),
        ];
        let status = self.status.map(|status| u64::from(status.as_u16()));
        attributes.extend(status.map(|status| ("http.response.status_code", Value::Number(status))));
        Span {
            context: place.context,
            parent: place.parent,
            name,
            kind: Kind::Server,
            started_at: self.started_at,
            took,
            attributes,
            failed: self.cut || self.status.is_some_and(|status| status.is_server_error()),
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

/// A body, and the record that ends with it.
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
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.open.bytes += u64::try_from(length).unwrap_or(u64::MAX);
            }
            Poll::Ready(Some(Err(_))) => self.open.cut = true,
            _ => {}
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
