//! Listeners on loopback, and the tasks that serve what they accept.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::exchange::x509::PeerCertificate;
use crate::front::Front;

/// How long requests under way may go on once the sandbox stops.
const GRACE: Duration = Duration::from_millis(300);

/// A client that does not finish its handshake is dropped.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// One port on 127.0.0.1 and, where the machine has IPv6, on `::1`: `localhost` may mean either.
pub(crate) struct Port {
    number: u16,
    listeners: Vec<TcpListener>,
}

impl Port {
    /// Binds `number`, or any free port for 0.
    pub(crate) async fn bind(number: u16) -> io::Result<Self> {
        // A port that is free on IPv4 may be taken on IPv6: with a free choice, choose again.
        let mut tries_left = if number == 0 { 32 } else { 1 };
        loop {
            tries_left -= 1;
            let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).await?;
            let chosen = v4.local_addr()?.port();
            match TcpListener::bind((Ipv6Addr::LOCALHOST, chosen)).await {
                Ok(v6) => return Ok(Self { number: chosen, listeners: vec![v4, v6] }),
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                    return Ok(Self { number: chosen, listeners: vec![v4] });
                }
                Err(error) if tries_left == 0 => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// The port number.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// Serves until `shutdown`. Without `tls`: plain HTTP.
    pub(crate) fn serve(
        self,
        front: Front,
        tls: Option<&TlsAcceptor>,
        shutdown: &CancellationToken,
        tasks: &TaskTracker,
    ) {
        let front = Arc::new(front);
        for listener in self.listeners {
            let acceptor = Acceptor {
                front: Arc::clone(&front),
                tls: tls.cloned(),
                shutdown: shutdown.clone(),
                tasks: tasks.clone(),
            };
            tasks.spawn(acceptor.run(listener));
        }
    }
}

#[derive(Clone)]
struct Acceptor {
    front: Arc<Front>,
    tls: Option<TlsAcceptor>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Acceptor {
    async fn run(self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                () = self.shutdown.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    self.tasks.spawn(self.clone().connection(stream, peer));
                }
                Err(error) => {
                    // Out of descriptors, most likely: let connections end before the next try.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn connection(self, stream: TcpStream, peer: SocketAddr) {
        // Events of a stream are small and each should leave at once.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let Some(tls) = &self.tls else {
            return self.http(stream, None).await;
        };
        let handshake = tokio::time::timeout(HANDSHAKE_LIMIT, tls.accept(stream));
        let finished = tokio::select! {
            () = self.shutdown.cancelled() => return,
            finished = handshake => finished,
        };
        match finished {
            Ok(Ok(stream)) => {
                let presented = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                let presented = presented.map(|certificate| PeerCertificate(certificate.to_vec()));
                self.http(stream, presented).await;
            }
            Ok(Err(error)) => {
                tracing::warn!(%peer, %error, "TLS handshake failed; does the client trust the sandbox's ca.pem?");
            }
            Err(_) => tracing::warn!(%peer, "TLS handshake not finished in time"),
        }
    }

    async fn http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
        presented: Option<PeerCertificate>,
    ) {
        let service = service_fn(|mut request: Request<Incoming>| {
            let front = Arc::clone(&self.front);
            if let Some(presented) = &presented {
                request.extensions_mut().insert(presented.clone());
            }
            async move { front.handle(request).await }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new());
        builder.http2().timer(TokioTimer::new());
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                match tokio::time::timeout(GRACE, connection).await {
                    Ok(ended) => ended,
                    Err(_) => return,
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended early");
        }
    }
}
