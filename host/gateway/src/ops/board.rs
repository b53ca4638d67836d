//! What there is to look at: the connections in use and the listeners, as of the last change of the configuration.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tokio_util::task::AbortOnDropHandle;

use crate::config::Address;
use crate::connection::{Changes, Connection, Connections};
use crate::listen::Counters;

/// Filled by the gateway, read by everything of `[ops]`. Stays through changes of the configuration.
pub(crate) struct Board {
    /// When the gateway was made.
    pub(super) started_at: SystemTime,
    shown: ArcSwap<Shown>,
}

#[derive(Default)]
pub(super) struct Shown {
    /// By name.
    pub(super) connections: Vec<Arc<Followed>>,
    /// By name.
    pub(super) listeners: Vec<Listening>,
}

/// A connection in use.
pub(super) struct Followed {
    pub(super) name: String,
    pub(super) connection: Arc<dyn Connection>,
    obtained: Arc<Mutex<Option<Obtained>>>,
    _following: AbortOnDropHandle<()>,
}

/// A listener that is open.
pub(crate) struct Listening {
    /// As between the brackets of the file: `proxy.openai`.
    pub(crate) name: String,
    /// Where it really is.
    pub(crate) address: Address,
    /// What went through it.
    pub(crate) counters: Arc<Counters>,
    /// What happened to the requests of a proxy.
    pub(crate) proxy: Option<Arc<crate::proxy::Counters>>,
}

/// When a credential was first seen here.
#[derive(Clone, Copy)]
struct Obtained {
    generation: u64,
    at: SystemTime,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self { started_at: SystemTime::now(), shown: ArcSwap::default() }
    }

    /// Shows these from now on. A connection that stays keeps its history. Must be called on a tokio runtime.
    pub(crate) fn show(&self, connections: &Connections, mut listeners: Vec<Listening>) {
        let before = self.shown.load();
        let known = |name: &str, connection: &Arc<dyn Connection>| {
            let mut known = before.connections.iter();
            known.find(|known| known.name == name && Arc::ptr_eq(&known.connection, connection)).cloned()
        };
        let connections = connections.iter().map(|(name, connection)| {
            known(name, connection).unwrap_or_else(|| Arc::new(Followed::new(name, connection)))
        });
        listeners.sort_by(|one, other| one.name.cmp(&other.name));
        self.shown.store(Arc::new(Shown { connections: connections.collect(), listeners }));
    }

    pub(super) fn shown(&self) -> Arc<Shown> {
        self.shown.load_full()
    }
}

impl Followed {
    fn new(name: &str, connection: &Arc<dyn Connection>) -> Self {
        let obtained = Arc::new(Mutex::new(None));
        let following = tokio::spawn(follow(connection.changes(), Arc::clone(&obtained)));
        Self {
            name: name.to_owned(),
            connection: Arc::clone(connection),
            obtained,
            _following: AbortOnDropHandle::new(following),
        }
    }

    /// When the credential of this generation was first seen here. `None` for one that has only just come.
    pub(super) fn obtained_at(&self, generation: u64) -> Option<SystemTime> {
        let obtained = *self.obtained.lock().unwrap_or_else(PoisonError::into_inner);
        obtained.filter(|obtained| obtained.generation == generation).map(|obtained| obtained.at)
    }
}

async fn follow(mut changes: Changes, obtained: Arc<Mutex<Option<Obtained>>>) {
    while let Some(credential) = poll_fn(|context| changes.as_mut().poll_next(context)).await {
        let seen = Obtained { generation: credential.generation(), at: SystemTime::now() };
        *obtained.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }
}
