//! Taking connections, as many as can be served.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Bound, Handler, http};
use crate::service::Peer;

/// Connections that one listener has open. Further ones wait in the system's queue.
const CONNECTIONS: usize = 16_384;

/// How long to wait when the system has no room for a further connection: there is no event to wait for.
const NO_ROOM: Duration = Duration::from_millis(100);

/// Accepts until it is told to stop, and then waits for the connections that are open. Aborting it closes them.
pub(super) async fn run(bound: Bound, handler: Arc<ArcSwap<Handler>>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&bound), if connections.len() < CONNECTIONS => accepted,
        };
        match accepted {
            Ok(Accepted::Tcp(stream, peer)) => {
                let open = handler.load().counters.connection();
                let serving = http::serve(stream, peer, Arc::clone(&handler), stop.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(open);
                });
            }
            Ok(Accepted::Unix(stream, peer)) => {
                let open = handler.load().counters.connection();
                let serving = http::serve(stream, peer, Arc::clone(&handler), stop.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(open);
                });
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

enum Accepted {
    Tcp(tokio::net::TcpStream, Peer),
    Unix(tokio::net::UnixStream, Peer),
}

async fn accept(bound: &Bound) -> io::Result<Accepted> {
    match bound {
        Bound::Tcp(listener) => tcp(listener).await,
        Bound::Unix { listener, .. } => unix(listener).await,
    }
}

async fn tcp(listener: &TcpListener) -> io::Result<Accepted> {
    let (stream, peer) = listener.accept().await?;
    // Streamed answers are small pieces that should leave at once.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    Ok(Accepted::Tcp(stream, Peer::Tcp(peer)))
}

async fn unix(listener: &UnixListener) -> io::Result<Accepted> {
    let (stream, _) = listener.accept().await?;
    let user = stream.peer_cred().ok().map(|peer| peer.uid());
    Ok(Accepted::Unix(stream, Peer::Unix(user)))
}
