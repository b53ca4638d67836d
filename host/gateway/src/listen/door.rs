//! A listener at work. What stands behind it can be changed while it is open.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Bound, Counters, Guard, Workers, accept};
use crate::config::Address;
use crate::service::Service;
use crate::traces::Recorder;

/// What stands behind a listener.
pub(crate) struct Handler {
    /// As in the file: `proxy.openai`. For logs.
    pub(crate) name: String,
    pub(crate) guard: Guard,
    pub(crate) service: Arc<dyn Service>,
    /// Kept when the configuration changes.
    pub(crate) counters: Arc<Counters>,
    /// Makes a record of each request.
    pub(crate) recorder: Option<Recorder>,
}

/// A listener at work.
pub(crate) struct Door {
    address: Address,
    handler: Arc<ArcSwap<Handler>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Door {
    /// Accepts connections from now on.
    pub(crate) fn open(bound: Bound, address: Address, handler: Handler, workers: &Arc<Workers>) -> Self {
        let handler = Arc::new(ArcSwap::from_pointee(handler));
        let stop = CancellationToken::new();
        let task = tokio::spawn(accept::run(bound, Arc::clone(&handler), Arc::clone(workers), stop.clone()));
        Self { address, handler, stop, task }
    }

    /// Requests from now on are answered by this one, on connections that are open too.
    pub(crate) fn change(&self, handler: Handler) {
        self.handler.swap(Arc::new(handler)).service.close();
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn handler(&self) -> Arc<Handler> {
        self.handler.load_full()
    }

    /// Accepts nothing more; what is under way goes on to its end. Returns when all connections are gone.
    pub(crate) async fn drain(mut self) {
        self.handler.load().service.close();
        self.stop.cancel();
        let _stopped = (&mut self.task).await;
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}
