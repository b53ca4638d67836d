//! From the queue to the collector.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::collector::Collector;
use super::otlp;
use super::span::Span;
use crate::network::{Io, Network, Speaking};

/// How long a span waits for others.
const PAUSE: Duration = Duration::from_secs(5);

/// Spans of one request to the collector.
const LARGEST: usize = 512;

/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Spans on their way to a collector.
pub struct Exporting {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Exporting {
    pub(super) fn start(
        collector: Collector,
        network: Arc<dyn Network>,
        queue: mpsc::Receiver<Span>,
        lost: Arc<AtomicU64>,
    ) -> Self {
        let stop = CancellationToken::new();
        let exporter = Exporter { collector, network, lost, failing: false };
        Self { task: tokio::spawn(exporter.run(queue, stop.clone())), stop }
    }

    /// Sends what is waiting, and ends. Takes 10 seconds at most for each batch.
    pub async fn finish(self) {
        self.stop.cancel();
        let _ended = self.task.await;
    }
}

struct Exporter {
    collector: Collector,
    network: Arc<dyn Network>,
    lost: Arc<AtomicU64>,
    /// So that an outage is one line of the log.
    failing: bool,
}

impl Exporter {
    async fn run(mut self, mut queue: mpsc::Receiver<Span>, stop: CancellationToken) {
        while let Some(batch) = next(&mut queue, &stop).await {
            let sent = timeout(PATIENCE, self.send(&batch)).await;
            let sent = sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            self.report(sent, batch.len());
        }
    }

    async fn send(&self, batch: &[Span]) -> io::Result<()> {
        let Collector { url, service } = &self.collector;
        let request = Request::post(url.path())
            .header(HOST, url.authority().map_or("", |authority| authority.as_str()))
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("keyless/", env!("CARGO_PKG_VERSION")))
            .body(Full::<Bytes>::from(otlp::body(service, batch)))
            .map_err(io::Error::other)?;
        let (mut sender, connection) =
            http1::handshake(self.connect().await?).await.map_err(io::Error::other)?;
        let driving = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(io::Error::other);
        driving.abort();
        match answer?.status() {
            status if status.is_success() => Ok(()),
            status @ (StatusCode::NOT_FOUND | StatusCode::UNSUPPORTED_MEDIA_TYPE) => Err(io::Error::other(
                format!("status {status}: it must take OTLP over HTTP in JSON, by default on port 4318"),
            )),
            status => Err(io::Error::other(format!("status {status}"))),
        }
    }

    /// Plain `http` may go to another machine here, as collectors in a cluster are reached: a span holds no secret.
    async fn connect(&self) -> io::Result<Box<dyn Io>> {
        let url = &self.collector.url;
        if url.scheme_str() == Some("https") {
            return self.network.connect(url, Speaking::Http1).await.map(|connected| connected.io);
        }
        let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, url.port_u16().unwrap_or(80))).await?;
        Ok(Box::new(TokioIo::new(stream)))
    }

    fn report(&mut self, sent: io::Result<()>, spans: usize) {
        let collector = &self.collector.url;
        let failing = sent.is_err();
        match sent {
            Ok(()) if self.failing => tracing::info!(%collector, "the collector takes traces again"),
            Ok(()) => {}
            Err(error) if self.failing => tracing::debug!(%collector, %error, spans, "traces are lost"),
            Err(error) => {
                tracing::warn!(%collector, %error, spans, "traces are lost until the collector takes them");
            }
        }
        self.failing = failing;
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!(%collector, spans = lost, "traces are lost: there are more than the collector takes");
        }
    }
}

/// The next batch: full, or as full as it has become in the pause. `None` when it is over.
async fn next(queue: &mut mpsc::Receiver<Span>, stop: &CancellationToken) -> Option<Vec<Span>> {
    let mut batch = Vec::new();
    let stopped = tokio::select! {
        received = queue.recv_many(&mut batch, LARGEST) => received == 0,
        () = stop.cancelled() => true,
    };
    let due = Instant::now() + PAUSE;
    while !stopped && batch.len() < LARGEST {
        let room = LARGEST - batch.len();
        tokio::select! {
            () = sleep_until(due) => break,
            () = stop.cancelled() => break,
            received = queue.recv_many(&mut batch, room) => {
                if received == 0 {
                    break;
                }
            }
        }
    }
    if stop.is_cancelled() {
        queue.close();
        while batch.len() < LARGEST
            && let Ok(span) = queue.try_recv()
        {
            batch.push(span);
        }
    }
    (!batch.is_empty()).then_some(batch)
}
