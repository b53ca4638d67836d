//! How long a client may take to say what it wants, and to read what it gets.
//!
//! Counted at the socket, so that it holds before the first byte, for HTTP/1.1 and HTTP/2 alike, and costs a request next
//! to nothing: one timer per connection, which is set when there is something to wait for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::service::{Body, BoxError};

/// From a new connection, or the first byte of a head, to the end of that head: however many bytes come in between.
pub(super) const HEAD: Duration = Duration::from_secs(10);

/// How long a connection is kept without a request. Longer than clients keep theirs (90 s in Go and in hyper), so that it is
/// they who close it, and no request crosses with the end of its connection.
const IDLE: Duration = Duration::from_secs(120);

/// How long a client may read nothing of an answer.
const STALLED: Duration = Duration::from_secs(120);

/// The requests of a connection.
#[derive(Debug, Default)]
pub(super) struct Requests {
    begun: AtomicUsize,
    under_way: AtomicUsize,
    tunnel: AtomicBool,
}

impl Requests {
    /// One more has come; it is under way until what is returned is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    /// The connection is no longer one of HTTP: no requests are waited for.
    pub(super) fn become_tunnel(&self) {
        self.tunnel.store(true, Ordering::Relaxed);
    }
}

/// A request under way.
pub(super) struct UnderWay(Arc<Requests>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer, up to whose end its request is under way.
pub(super) struct Answered {
    body: Body,
    _under_way: UnderWay,
}

impl Answered {
    pub(super) fn new(body: Body, under_way: UnderWay) -> Self {
        Self { body, _under_way: under_way }
    }
}

impl http_body::Body for Answered {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A client's connection, which ends when the client is too slow.
pub(super) struct Patient<S> {
    stream: S,
    requests: Arc<Requests>,
    /// How many had begun when it was looked last.
    seen: usize,
    /// How many bytes were those that HTTP/2 begins with.
    prior_knowledge: usize,
    waiting: Waiting,
    timer: Option<Pin<Box<Sleep>>>,
    /// Runs while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

/// How a client says that it speaks HTTP/2 (RFC 9113, section 3.4); no method of HTTP/1.1 begins so.
const HTTP2: &[u8] = b"PRI";

/// What a client is waited for.
#[derive(Clone, Copy)]
enum Waiting {
    /// Nothing: it is we who owe an answer.
    Not,
    /// A request, since then.
    Idle(Instant),
    /// The rest of a head, since then.
    Head(Instant),
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, requests: Arc<Requests>) -> Self {
        let waiting = Waiting::Head(Instant::now());
        Self { stream, requests, seen: 0, prior_knowledge: 0, waiting, timer: None, stalled: None }
    }

    /// Takes note of the requests that have begun or ended since.
    fn look(&mut self) {
        let begun = self.requests.begun.load(Ordering::Relaxed);
        let under_way = self.requests.under_way.load(Ordering::Relaxed) > 0;
        if under_way || self.requests.tunnel.load(Ordering::Relaxed) || (begun > 0 && self.speaks_http2()) {
            self.waiting = Waiting::Not;
        } else if begun != self.seen || matches!(self.waiting, Waiting::Not) {
            self.waiting = Waiting::Idle(Instant::now());
        }
        self.seen = begun;
    }

    /// Bytes have come. Those of HTTP/2 may be about anything: it is asked in its own way whether the client is there, and a
    /// connection that was used may rest for as long as it is.
    fn came(&mut self, bytes: &[u8]) {
        if self.seen == 0 && !self.speaks_http2() {
            let rest = HTTP2.get(self.prior_knowledge..).unwrap_or_default();
            let same = rest.iter().zip(bytes).take_while(|(expected, one)| expected == one).count();
            // What was no beginning of HTTP/2 is none any more.
            let on_the_way = same == rest.len() || same == bytes.len();
            self.prior_knowledge = if on_the_way { self.prior_knowledge + same } else { 0 };
        }
        match self.waiting {
            Waiting::Head(since) if self.speaks_http2() => self.waiting = Waiting::Idle(since),
            Waiting::Idle(_) if !self.speaks_http2() => self.waiting = Waiting::Head(Instant::now()),
            _ => {}
        }
    }

    /// What became of a write; an error once none has gone on for too long.
    fn written(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + STALLED)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer")))
    }

    fn speaks_http2(&self) -> bool {
        self.prior_knowledge >= HTTP2.len()
    }

    /// Ready once it has taken too long.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = match self.waiting {
            Waiting::Not => return Poll::Pending,
            Waiting::Idle(since) => since + IDLE,
            Waiting::Head(since) => since + HEAD,
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        // A timer that is early is set again when it goes off: most requests come in time.
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        ready!(timer.as_mut().poll(cx));
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        timer.as_mut().reset(deadline);
        timer.as_mut().poll(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.look();
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            self.came(buffer.filled().get(before..).unwrap_or_default());
            return Poll::Ready(read);
        }
        ready!(self.poll_deadline(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client took too long to send a request",
        )))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(written, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.written(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    fn pair() -> (Patient<DuplexStream>, DuplexStream, Arc<Requests>) {
        let (ours, theirs) = duplex(1024);
        let requests = Arc::new(Requests::default());
        (Patient::new(ours, Arc::clone(&requests)), theirs, requests)
    }

    async fn waited(patient: &mut Patient<DuplexStream>) -> (io::ErrorKind, Duration) {
        let began = Instant::now();
        let error = patient.read_u8().await.unwrap_err();
        (error.kind(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_has_to_say_something() {
        let (mut patient, _client, _) = pair();
        assert_eq!(waited(&mut patient).await, (io::ErrorKind::TimedOut, HEAD));
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_buys_no_time() {
        let (mut patient, mut client, _) = pair();
        let began = Instant::now();
        tokio::spawn(async move {
            while client.write_u8(b'x').await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        while patient.read_u8().await.is_ok() {}
        assert_eq!(began.elapsed(), HEAD);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_its_time_and_then_the_connection_rests() {
        let (mut patient, mut client, requests) = pair();
        for _ in 0..3 {
            client.write_u8(b'x').await.unwrap();
            patient.read_u8().await.unwrap();
            let under_way = requests.begin();
            let waiting = tokio::time::timeout(Duration::from_secs(3600), patient.read_u8());
            assert!(waiting.await.is_err());
            drop(under_way);
        }
        // A short one begins and ends between two reads.
        client.write_u8(b'x').await.unwrap();
        patient.read_u8().await.unwrap();
        drop(requests.begin());
        assert_eq!(waited(&mut patient).await, (io::ErrorKind::TimedOut, IDLE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_is_begun_has_to_be_ended() {
        let (mut patient, mut client, requests) = pair();
        drop(requests.begin());
        let waiting = tokio::time::timeout(HEAD * 2, patient.read_u8());
        assert!(waiting.await.is_err());
        client.write_u8(b'x').await.unwrap();
        patient.read_u8().await.unwrap();
        assert_eq!(waited(&mut patient).await, (io::ErrorKind::TimedOut, HEAD));
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_let_go_and_who_reads_slowly_is_not() {
        let (mut patient, mut client, _) = pair();
        patient.write_all(&[0; 1024]).await.unwrap();
        for _ in 0..3 {
            let reading = async {
                tokio::time::sleep(STALLED / 2).await;
                client.read_u8().await.unwrap();
            };
            let (written, ()) = tokio::join!(patient.write_u8(0), reading);
            written.unwrap();
        }
        let began = Instant::now();
        let error = patient.write_u8(0).await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed()), (io::ErrorKind::TimedOut, STALLED));
    }

    #[tokio::test(start_paused = true)]
    async fn http_2_and_tunnels_may_rest() {
        for (beginning, tunnel) in [("PRI * HTTP/2.0", false), ("GET / HTTP/1.1", true)] {
            let (mut patient, mut client, requests) = pair();
            client.write_all(beginning.as_bytes()).await.unwrap();
            patient.read_exact(&mut [0; 14]).await.unwrap();
            drop(requests.begin());
            if tunnel {
                requests.become_tunnel();
            }
            for _ in 0..3 {
                let waiting = tokio::time::timeout(Duration::from_secs(3600), patient.read_u8());
                assert!(waiting.await.is_err(), "{beginning}");
                client.write_u8(b'x').await.unwrap();
                patient.read_u8().await.unwrap();
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn http_2_without_a_request_rests_only_so_long() {
        let (mut patient, mut client, _) = pair();
        for piece in ["P", "RI * HTTP/2.0"] {
            client.write_all(piece.as_bytes()).await.unwrap();
            patient.read_exact(&mut vec![0; piece.len()]).await.unwrap();
        }
        assert_eq!(waited(&mut patient).await, (io::ErrorKind::TimedOut, IDLE));
    }
}
