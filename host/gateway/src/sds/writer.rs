//! Keeps the files of one connection's secrets, for as long as its directory is in the configuration.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_stream::StreamExt as _;

use super::directory::Directory;
use super::{file_form, secret};
use crate::connection::{Changes, Connection, Credential};

/// Between tries to write a file, the first and the longest: nothing tells when a full disk has room again.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What is to be written, and where.
pub(super) type Order = Option<(Directory, Arc<dyn Connection>)>;

/// Follows its orders in turn, so that an old credential is never written over a new one. Once it is dropped, nothing more
/// is written and the files stay: a gateway that starts again meanwhile finds them, and their credential ends by itself.
pub(super) struct Writer {
    orders: watch::Sender<Order>,
}

impl Writer {
    /// Must be called on a tokio runtime.
    pub(super) fn start(connection: String) -> Self {
        let (orders, received) = watch::channel(None);
        tokio::spawn(Files { connection, written: BTreeSet::new() }.follow(received));
        Self { orders }
    }

    /// What holds from now on. `None`: the files go.
    pub(super) fn order(&self, order: Order) {
        self.orders.send_if_modified(|before| {
            let changes = match (before.as_ref(), order.as_ref()) {
                (Some((directory, connection)), Some((other, another))) => {
                    directory != other || !Arc::ptr_eq(connection, another)
                }
                (before, order) => before.is_some() != order.is_some(),
            };
            *before = order;
            changes
        });
    }
}

struct Files {
    connection: String,
    /// Names of files that are there.
    written: BTreeSet<String>,
}

impl Files {
    async fn follow(mut self, mut orders: watch::Receiver<Order>) {
        let mut last: Option<Directory> = None;
        while orders.changed().await.is_ok() {
            let order = orders.borrow_and_update().clone();
            if let Some(before) = last.take()
                && order.as_ref().is_none_or(|(directory, _)| *directory != before)
            {
                self.remove(&before, &BTreeSet::new());
            }
            let Some((directory, connection)) = order else { continue };
            tokio::select! {
                biased;
                changed = orders.changed() => match changed {
                    Ok(()) => orders.mark_changed(),
                    Err(_) => return,
                },
                () = self.keep(&directory, connection.changes()) => {}
            }
            last = Some(directory);
        }
    }

    /// Writes each credential as it comes. Ends with the connection.
    async fn keep(&mut self, directory: &Directory, mut changes: Changes) {
        let mut credential = changes.next().await;
        while let Some(current) = credential.take() {
            let mut pause = AGAIN.0;
            credential = loop {
                match self.write(directory, &current) {
                    Ok(()) if pause == AGAIN.0 => break changes.next().await,
                    Ok(()) => {
                        tracing::info!(connection = self.connection, "its secrets could be written again");
                        break changes.next().await;
                    }
                    // Once for each credential.
                    Err(error) if pause == AGAIN.0 => tracing::error!(
                        connection = self.connection,
                        directory = %directory.path().display(),
                        %error,
                        "its secrets cannot be written; whoever reads them has the old ones until they expire"
                    ),
                    Err(error) => tracing::debug!(connection = self.connection, %error, "still not written"),
                }
                tokio::select! {
                    next = changes.next() => break next,
                    () = tokio::time::sleep(pause) => pause = (pause * 2).min(AGAIN.1),
                }
            };
        }
    }

    /// The files are some hundred bytes: there is nothing to gain from another thread.
    fn write(&mut self, directory: &Directory, credential: &Credential) -> io::Result<()> {
        let mut current = BTreeSet::new();
        for secret in secret::all(&self.connection, credential) {
            let name = if secret.is_token {
                directory.write(&secret.name, secret.value.as_bytes())?;
                secret.name
            } else {
                let file = file_form::write(&secret, credential.generation());
                let name = format!("{}.yaml", secret.name);
                directory.write(&name, file.as_bytes())?;
                name
            };
            self.written.insert(name.clone());
            current.insert(name);
        }
        self.remove(directory, &current);
        Ok(())
    }

    /// All but these.
    fn remove(&mut self, directory: &Directory, kept: &BTreeSet<String>) {
        self.written.retain(|name| {
            kept.contains(name)
                || directory.remove(name).inspect_err(|error| {
                    let path = directory.path().join(name);
                    tracing::error!(path = %path.display(), %error, "a file that is no longer kept cannot be removed");
                }).is_err()
        });
    }
}
