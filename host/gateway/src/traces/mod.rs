//! Traces for OpenTelemetry: a span for each request, in the trace of whoever made it, and one for each renewal. The same
//! record of a request is a line of the log at `debug`.
//!
//! ```text
//! request, renewal -> Span -> a queue that never makes anybody wait -> batches -> the collector, as OTLP/HTTP in JSON
//! ```
//!
//! Ours, because the usual crates (opentelemetry-otlp, tracing-opentelemetry) take 20 s of a core to compile and send in their
//! own way, past this program's trust, while all that is needed of OTLP and of W3C Trace Context is in two small files.

mod collector;
mod context;
mod export;
mod otlp;
mod request;
mod span;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use http::Request;
use tokio::sync::mpsc;

use crate::network::Network;
pub use collector::Collector;
use context::Context;
pub use export::Exporting;
pub(crate) use request::Open;
use span::{Kind, Span, Value};

/// Spans that may wait for the next batch. Further ones are lost, and counted.
const QUEUE: usize = 4_096;

/// Where spans go. Cheap to clone.
#[derive(Clone)]
pub struct Traces(Arc<Queue>);

struct Queue {
    spans: mpsc::Sender<Span>,
    lost: Arc<AtomicU64>,
}

impl Traces {
    /// Spans go to this collector from now on, until the second value is told to finish. `network` is for `https`. Must be
    /// called on a tokio runtime.
    #[must_use]
    pub fn export(collector: Collector, network: Arc<dyn Network>) -> (Self, Exporting) {
        let (spans, queue) = mpsc::channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let exporting = Exporting::start(collector, network, queue, Arc::clone(&lost));
        (Self(Arc::new(Queue { spans, lost })), exporting)
    }

    /// A connection's attempt to get a credential has just ended: with a credential of this generation, or with this stable
    /// error code.
    pub fn renewal(&self, connection: &str, took: Duration, outcome: Result<u64, &str>) {
        let now = SystemTime::now();
        let attribute = match outcome {
            Ok(generation) => ("keyless.generation", Value::Number(generation)),
            Err(code) => ("error.type", Value::Text(code.to_owned())),
        };
        self.ended(Span {
            context: Context::new(),
            parent: None,
            name: "renewal".to_owned(),
            kind: Kind::Internal,
            started_at: now.checked_sub(took).unwrap_or(now),
            took,
            attributes: vec![("keyless.connection", Value::Text(connection.to_owned())), attribute],
            failed: outcome.is_err(),
        });
    }

    fn ended(&self, span: Span) {
        if self.0.spans.try_send(span).is_err() {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Makes records of the requests of one listener.
pub(crate) struct Recorder {
    traces: Option<Traces>,
    listener: Arc<str>,
}

impl Recorder {
    /// `listener`: its name, as in `proxy.openai`. `traces`: where spans go, if anywhere.
    pub(crate) fn new(listener: &str, traces: Option<Traces>) -> Self {
        Self { traces, listener: listener.into() }
    }

    /// A request has come. `None`: nobody wants a record of it.
    pub(crate) fn begin<B>(&self, request: &mut Request<B>) -> Option<Open> {
        Open::begin(self.traces.as_ref(), &self.listener, request)
    }
}
