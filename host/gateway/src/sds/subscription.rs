//! What one client of the discovery service has asked for, and what there is of it.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;
use tokio_stream::{StreamExt as _, StreamMap};

use super::secret;
use super::wish::{self, Names};
use crate::connection::{Connections, Credential};
use crate::grpc::messages::secret::Secret;

/// Names that one client may ask for.
const NAMES: usize = 1024;

/// Too many names.
#[derive(Debug)]
pub(super) struct TooMany;

/// The state of one stream.
pub(super) struct Subscription {
    served: Connections,
    names: BTreeSet<String>,
    /// Each credential of the connections that are asked for; `None` when one of them ends.
    changes: StreamMap<String, UntilTheEnd>,
    latest: BTreeMap<String, Arc<Credential>>,
}

/// As `Changes`, with a last word.
type UntilTheEnd = Pin<Box<dyn Stream<Item = Option<Arc<Credential>>> + Send>>;

/// Something to tell the client.
pub(super) struct News {
    pub(super) generation: u64,
    pub(super) secrets: Vec<Secret>,
}

impl Subscription {
    pub(super) fn new(served: Connections) -> Self {
        Self { served, names: BTreeSet::new(), changes: StreamMap::new(), latest: BTreeMap::new() }
    }

    /// What the client is to be told at once: what it has not asked for before, as far as it is there. Names that are not
    /// served stay pending.
    ///
    /// # Errors
    /// Too many names.
    pub(super) fn ask(&mut self, names: Names) -> Result<Vec<News>, TooMany> {
        let before = self.names.clone();
        match names {
            Names::All(names) => self.names = names.into_iter().collect(),
            Names::Change { more, less } => {
                less.iter().for_each(|name| {
                    self.names.remove(name);
                });
                self.names.extend(more);
            }
        }
        if self.names.len() > NAMES {
            return Err(TooMany);
        }
        let asked: BTreeSet<_> = self.names.iter().filter_map(|name| self.connection(name)).collect();
        self.latest.retain(|name, _| asked.contains(name));
        for gone in self.changes.keys().filter(|name| !asked.contains(*name)).cloned().collect::<Vec<_>>() {
            self.changes.remove(&gone);
        }
        for name in asked {
            if !self.changes.contains_key(&name)
                && let Some(connection) = self.served.get(&name)
            {
                let changes = connection.changes().map(Some).chain(tokio_stream::once(None));
                let changes: UntilTheEnd = Box::pin(changes);
                self.changes.insert(name, changes);
            }
        }
        let new: BTreeSet<_> = self.names.difference(&before).cloned().collect();
        Ok(self.latest.iter().filter_map(|(name, credential)| news(&new, name, credential)).collect())
    }

    /// The next credential that the client is to be told of; waits for it. `None`: a connection has ended. Losing the wait
    /// loses nothing.
    pub(super) async fn next(&mut self) -> Option<News> {
        loop {
            if self.changes.is_empty() {
                return std::future::pending().await;
            }
            let (name, credential) = self.changes.next().await?;
            let credential = credential?;
            let found = news(&self.names, &name, &credential);
            self.latest.insert(name, credential);
            if found.is_some() {
                return found;
            }
        }
    }

    /// Whether a text quotes one of the secrets that the client knows.
    pub(super) fn is_quoted_in(&self, text: &str) -> bool {
        let secrets = self.latest.iter().flat_map(|(name, credential)| secret::all(name, credential));
        let mut values = secrets.map(|secret| secret.value).filter(|value| !value.is_empty());
        values.any(|value| text.contains(value))
    }

    /// Whose secret has this name: `NAME`, or the longest `NAME` with something behind a dot.
    fn connection(&self, secret: &str) -> Option<String> {
        let behind = |name: &str| {
            secret.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.served.keys().filter(|name| behind(name)).max_by_key(|name| name.len()).cloned()
    }
}

/// The secrets of a credential that have one of these names. `None`: there are none.
fn news(names: &BTreeSet<String>, connection: &str, credential: &Credential) -> Option<News> {
    let asked = secret::all(connection, credential).into_iter().filter(|secret| names.contains(&secret.name));
    let secrets: Vec<_> = asked.map(|secret| wish::secret(secret.name, secret.value)).collect();
    (!secrets.is_empty()).then_some(News { generation: credential.generation(), secrets })
}
