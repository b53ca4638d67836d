//! Taking connections, as many as can be served.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Bound, Handler, Workers, http};
use crate::service::Peer;

/// Connections that one listener has open. Further ones wait in the system's queue.
const CONNECTIONS: usize = 16_384;

/// How long to wait when the system has no room for a further connection: there is no event to wait for.
const NO_ROOM: Duration = Duration::from_millis(100);

/// Accepts until it is told to stop, and then waits for the connections that are open. Aborting it closes them.
pub(super) async fn run(
    bound: Bound,
    handler: Arc<ArcSwap<Handler>>,
    workers: Arc<Workers>,
    stop: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&bound), if connections.len() < CONNECTIONS => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                let open = handler.load().counters.connection();
                let (handler, stop) = (Arc::clone(&handler), stop.clone());
                let serving = async move {
                    if let Err(error) = socket.serve(peer, handler, stop).await {
                        tracing::warn!(%error, "a connection cannot be served");
                    }
                    drop(open);
                };
                connections.spawn_on(serving, &workers.next());
            }
            // The client has left before we came to it.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(listener = handler.load().name, %error, "no further connection can be accepted for now");
                tokio::time::sleep(NO_ROOM).await;
            }
        }
    }
    drop(bound);
    while connections.join_next().await.is_some() {}
}

/// A client's connection, tied to no runtime yet.
enum Socket {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl Socket {
    /// On the runtime that this is called on.
    async fn serve(
        self,
        peer: Peer,
        handler: Arc<ArcSwap<Handler>>,
        stop: CancellationToken,
    ) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => http::serve(TcpStream::from_std(socket)?, peer, handler, stop).await,
            Self::Unix(socket) => http::serve(UnixStream::from_std(socket)?, peer, handler, stop).await,
        }
        Ok(())
    }
}

async fn accept(bound: &Bound) -> io::Result<(Socket, Peer)> {
    match bound {
        Bound::Tcp(listener) => tcp(listener).await,
        Bound::Unix { listener, .. } => unix(listener).await,
    }
}

async fn tcp(listener: &TcpListener) -> io::Result<(Socket, Peer)> {
    let (stream, peer) = listener.accept().await?;
    // Streamed answers are small pieces that should leave at once.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    Ok((Socket::Tcp(stream.into_std()?), Peer::Tcp(peer)))
}

async fn unix(listener: &UnixListener) -> io::Result<(Socket, Peer)> {
    let (stream, _) = listener.accept().await?;
    let user = stream.peer_cred().ok().map(|peer| peer.uid());
    Ok((Socket::Unix(stream.into_std()?), Peer::Unix(user)))
}
