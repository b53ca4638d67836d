//! An upstream's host and the connections to it.
//!
//! Each worker thread has connections of its own: a request and the connection that it goes over are driven by the same
//! thread, and threads do not meet. Over HTTP/1.1 a connection carries one request at a time and rests in between; over
//! HTTP/2 it carries as many as the upstream allows, and then a further connection is opened.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::upload::Upload;
use crate::network::{Network, Speaking};

/// How long a connection may rest. Many servers close them after 60 s or more; those that do so earlier are noticed when
/// they do.
const REST: Duration = Duration::from_secs(50);

/// Connections of one worker that may rest.
const RESTING: usize = 1024;

/// Bytes of an answer that are under way on one stream of HTTP/2 to a client that does not read.
const STREAM_WINDOW: u32 = 256 * 1024;

/// The same for all streams of a connection: clients that do not read must not hold up those that do.
const CONNECTION_WINDOW: u32 = 32 * 1024 * 1024;

/// Bytes of an answer of HTTP/1.1 that are read ahead, and the longest head of one.
const READ_BUFFER: usize = 64 * 1024;

/// Whether an HTTP/2 connection still lives is asked this often while it is in use.
const PING: Duration = Duration::from_secs(30);

/// An upstream's host.
pub(super) struct Origin {
    scheme: Scheme,
    authority: Authority,
    host: HeaderValue,
    network: Arc<dyn Network>,
    /// Whether the last connection spoke HTTP/1.1: then there is no sense in waiting for one that can be shared.
    http1: AtomicBool,
    workers: Box<[Worker]>,
}

/// The connections of one thread.
#[derive(Default)]
struct Worker {
    links: Mutex<Links>,
    /// Held while a connection is opened that the others may be able to share.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Links {
    /// The one that was used last is at the back.
    resting: VecDeque<Resting>,
    shared: Vec<Shared>,
}

struct Resting {
    sender: http1::SendRequest<Upload>,
    since: Instant,
}

#[derive(Clone)]
struct Shared {
    sender: http2::SendRequest<Upload>,
    streams: Arc<Streams>,
}

/// Streams of an HTTP/2 connection.
struct Streams {
    open: AtomicUsize,
    /// The upstream allows this many (SETTINGS_MAX_CONCURRENT_STREAMS).
    most: AtomicUsize,
}

impl Origin {
    /// `None`: the URL is not absolute.
    pub(super) fn new(url: &Uri, network: &Arc<dyn Network>) -> Option<Self> {
        let (scheme, authority) = (url.scheme()?.clone(), url.authority()?.clone());
        let workers = thread::available_parallelism().map_or(1, usize::from);
        Some(Self {
            host: HeaderValue::try_from(authority.as_str()).ok()?,
            http1: AtomicBool::new(false),
            scheme,
            authority,
            network: Arc::clone(network),
            workers: (0..workers).map(|_| Worker::default()).collect(),
        })
    }

    /// Whether this is the origin of the URL.
    pub(super) fn is_of(&self, url: &Uri) -> bool {
        url.scheme() == Some(&self.scheme) && url.authority() == Some(&self.authority)
    }

    /// Scheme, host and port, for logs.
    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What a request says in `Host`.
    pub(super) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// A path of this origin as an absolute URL.
    pub(super) fn url(&self, path: PathAndQuery) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        // All three are there, so it is a valid one.
        Uri::from_parts(parts).unwrap_or_default()
    }

    /// A connection that a request can be sent on, when none is there: a new one, or one of HTTP/2 that somebody else is just
    /// opening. `fresh`: none that was used before.
    pub(super) async fn link(self: &Arc<Self>, fresh: bool) -> io::Result<Link> {
        if fresh || self.http1.load(Ordering::Relaxed) {
            return self.open().await;
        }
        let Some(worker) = self.worker() else { return self.open().await };
        let opening = worker.opening.lock().await;
        if let Some(link) = self.idle() {
            return Ok(link);
        }
        // Whoever was first has found out that there is nothing to share: the others need not wait for each other.
        let _opening = (!self.http1.load(Ordering::Relaxed)).then_some(opening);
        self.open().await
    }

    /// A new connection of HTTP/1.1 that can be upgraded, and is not shared.
    pub(super) async fn upgradable(&self) -> io::Result<http1::SendRequest<Upload>> {
        let connected =
            self.network.connect(&self.url(PathAndQuery::from_static("/")), Speaking::Http1).await?;
        let (sender, connection) = handshake(connected.io).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "a connection to an upstream ended early");
            }
        });
        Ok(sender)
    }

    fn worker(&self) -> Option<&Worker> {
        self.workers.get(thread_number() % self.workers.len())
    }

    fn links(&self) -> Option<MutexGuard<'_, Links>> {
        self.worker().map(|worker| worker.links.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A connection that is there and has room for a request.
    pub(super) fn idle(self: &Arc<Self>) -> Option<Link> {
        let mut links = self.links()?;
        while let Some(resting) = links.resting.pop_back() {
            let rested = resting.since.elapsed();
            if rested < REST && resting.sender.is_ready() {
                return Some(Link {
                    over: Over::Http1(resting.sender),
                    origin: Arc::clone(self),
                    rested: Some(rested),
                });
            }
        }
        links.shared.retain(|shared| !shared.sender.is_closed());
        let shared =
            links.shared.iter().find_map(|shared| Some((shared.sender.clone(), shared.streams.begin()?)));
        let (sender, stream) = shared?;
        Some(Link {
            over: Over::Http2(sender, stream),
            origin: Arc::clone(self),
            rested: Some(Duration::ZERO),
        })
    }

    async fn open(self: &Arc<Self>) -> io::Result<Link> {
        let connected =
            self.network.connect(&self.url(PathAndQuery::from_static("/")), Speaking::Any).await?;
        self.http1.store(!connected.http2, Ordering::Relaxed);
        let over = if connected.http2 {
            let shared = shared(connected.io).await?;
            let stream = shared.streams.begin().ok_or(io::ErrorKind::ConnectionRefused)?;
            let sender = shared.sender.clone();
            if let Some(mut links) = self.links() {
                links.shared.push(shared);
            }
            Over::Http2(sender, stream)
        } else {
            let (sender, connection) = handshake(connected.io).await?;
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection to an upstream ended early");
                }
            });
            Over::Http1(sender)
        };
        Ok(Link { over, origin: Arc::clone(self), rested: None })
    }

    fn rest(&self, sender: http1::SendRequest<Upload>) {
        let Some(mut links) = self.links() else { return };
        let since = Instant::now();
        while links.resting.len() >= RESTING
            || links.resting.front().is_some_and(|oldest| since.duration_since(oldest.since) >= REST)
        {
            links.resting.pop_front();
        }
        links.resting.push_back(Resting { sender, since });
    }
}

/// A connection for one request.
pub(super) struct Link {
    pub(super) over: Over,
    pub(super) origin: Arc<Origin>,
    /// How long it was unused, if it was used before.
    pub(super) rested: Option<Duration>,
}

/// What a connection speaks.
pub(super) enum Over {
    Http1(http1::SendRequest<Upload>),
    Http2(http2::SendRequest<Upload>, Stream),
}

/// What becomes of a connection after an answer.
pub(super) enum Used {
    Http1(http1::SendRequest<Upload>, Arc<Origin>),
    /// Counts among its connection's streams until it is dropped.
    Http2(#[expect(dead_code, reason = "its end is what counts")] Stream),
}

impl Used {
    /// The answer was read to its end.
    pub(super) fn give_back(self) {
        let Self::Http1(mut sender, origin) = self else { return };
        if sender.is_ready() {
            origin.rest(sender);
        } else if !sender.is_closed()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // The request is still being sent, or the connection has not noticed its end yet.
            runtime.spawn(async move {
                if tokio::time::timeout(REST, sender.ready()).await.is_ok_and(|ready| ready.is_ok()) {
                    origin.rest(sender);
                }
            });
        }
    }
}

/// One of the streams of a connection.
pub(super) struct Stream(Arc<Streams>);

impl Streams {
    /// `None`: there are as many as the upstream allows.
    fn begin(self: &Arc<Self>) -> Option<Stream> {
        let most = self.most.load(Ordering::Relaxed);
        let begun = self
            .open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| (open < most).then_some(open + 1));
        begun.ok().map(|_| Stream(Arc::clone(self)))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

type Io = Box<dyn crate::network::Io>;

async fn handshake(io: Io) -> io::Result<(http1::SendRequest<Upload>, http1::Connection<Io, Upload>)> {
    http1::Builder::new().max_buf_size(READ_BUFFER).handshake(io).await.map_err(io::Error::other)
}

async fn shared(io: Io) -> io::Result<Shared> {
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING)
        .handshake(io)
        .await
        .map_err(io::Error::other)?;
    let streams = Arc::new(Streams {
        open: AtomicUsize::new(0),
        most: AtomicUsize::new(connection.current_max_send_streams().max(1)),
    });
    let allowed = Arc::clone(&streams);
    tokio::spawn(async move {
        let mut connection = pin!(connection);
        let ended = poll_fn(|cx| {
            let polled = connection.as_mut().poll(cx);
            if polled.is_pending() {
                allowed.most.store(connection.current_max_send_streams(), Ordering::Relaxed);
            }
            polled
        });
        if let Err(error) = ended.await {
            tracing::debug!(%error, "a connection to an upstream ended early");
        }
    });
    Ok(Shared { sender, streams })
}

/// Threads count themselves as they come.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static NUMBER: Cell<Option<usize>> = const { Cell::new(None) });
    NUMBER.with(|number| {
        number.get().unwrap_or_else(|| {
            let own = NEXT.fetch_add(1, Ordering::Relaxed);
            number.set(Some(own));
            own
        })
    })
}
