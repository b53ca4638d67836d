//! A way to the token endpoint that can be shut: who comes then is let in and never spoken to.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::outside::Outside;

/// A relay on loopback. Ends with the outside world.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    shut: watch::Sender<bool>,
    held: Arc<watch::Sender<usize>>,
}

impl Door {
    /// Leads to a port of this machine.
    pub(crate) async fn to(outside: &Outside, port: u16) -> Self {
        let (shut, shutting) = watch::channel(false);
        let held = Arc::new(watch::Sender::new(0));
        let holding = Arc::clone(&held);
        let (tell, address) = tokio::sync::oneshot::channel();
        outside.spawn(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((visitor, _)) = listener.accept().await {
                tokio::spawn(receive(visitor, port, shutting.clone(), Arc::clone(&holding)));
            }
        });
        Self { address: address.await.unwrap(), shut, held }
    }

    /// From now on nobody is spoken to, and conversations under way are broken off.
    pub(crate) fn shut(&self) {
        self.shut.send_replace(true);
    }

    /// Those who come now find it as it was.
    pub(crate) fn open(&self) {
        self.shut.send_replace(false);
    }

    /// How many stood before the shut door until now.
    pub(crate) fn held(&self) -> usize {
        *self.held.borrow()
    }
}

async fn receive(
    mut visitor: TcpStream,
    port: u16,
    mut shutting: watch::Receiver<bool>,
    held: Arc<watch::Sender<usize>>,
) {
    if *shutting.borrow_and_update() {
        held.send_modify(|held| *held += 1);
        // Open until the visitor has had enough: reading ends when it hangs up.
        let _gone = tokio::io::copy(&mut visitor, &mut tokio::io::sink()).await;
        return;
    }
    let mut house = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut visitor, &mut house) => {}
        _ = shutting.wait_for(|shut| *shut) => {}
    }
}
