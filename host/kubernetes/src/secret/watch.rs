//! Notices that the Secret was changed or deleted. Sees its metadata alone, never what it holds.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::WatchParams;
use kube::core::{PartialObjectMeta, WatchEvent};

use crate::cluster::{Refusal, Request, SECRETS};
use crate::{Cluster, Fault, ObjectName};

/// The API server ends a watch after so long; the next one goes on where that ended.
const LENGTH: Duration = Duration::from_secs(240);
/// Beyond that, a watch without an end is one whose connection has gone.
const GRACE: Duration = Duration::from_secs(15);
/// How long the API server may take to begin.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pauses after failures, doubled each time.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

type Events = BoxStream<'static, kube::Result<WatchEvent<PartialObjectMeta<Secret>>>>;

/// A watch on one Secret.
pub(crate) struct Watch {
    cluster: Cluster,
    secret: ObjectName,
    events: Option<Events>,
    /// Where to go on. Empty: at the present, and then what happened before is not known.
    version: String,
    began: Instant,
    pause: Duration,
}

impl Watch {
    pub(crate) fn new(cluster: Cluster, secret: ObjectName) -> Self {
        Self { cluster, secret, events: None, version: String::new(), began: Instant::now(), pause: PAUSES.0 }
    }

    /// Waits until the Secret may have changed: look at it then. Comes at once at the beginning, and when events may have been
    /// missed. Loses nothing when dropped early, so that it can be a branch of `select!`.
    ///
    /// # Errors
    /// When the API server does not let us; an outage is waited for.
    pub(crate) async fn changed(&mut self) -> Result<(), Fault> {
        loop {
            let Some(events) = self.events.as_mut() else {
                let anew = self.version.is_empty();
                match self.begin().await {
                    Ok(()) if anew => return Ok(()),
                    Ok(()) => continue,
                    Err(refusal) => self.recover(refusal).await?,
                }
                continue;
            };
            match tokio::time::timeout(LENGTH + GRACE, events.next()).await {
                Ok(Some(Ok(event))) => {
                    if self.takes(event) {
                        return Ok(());
                    }
                }
                Ok(Some(Err(reason))) => {
                    tracing::debug!(%reason, "the watch on the Secret broke off");
                    self.end().await;
                }
                // Its time was over, or its connection is gone without a word.
                Ok(None) | Err(_) => self.end().await,
            }
        }
    }

    async fn begin(&mut self) -> Result<(), Refusal> {
        let api: Api<Secret> = Api::namespaced(self.cluster.client(), &self.secret.namespace);
        let wanted = WatchParams {
            field_selector: Some(format!("metadata.name={}", self.secret.name)),
            timeout: u32::try_from(LENGTH.as_secs()).ok(),
            bookmarks: true,
            ..WatchParams::default()
        };
        let request = Request { verb: "watch", resource: SECRETS, object: &self.secret, within: PATIENCE };
        let events = request.send(&self.cluster, api.watch_metadata(&wanted, &self.version)).await?;
        self.events = Some(events.boxed());
        self.began = Instant::now();
        Ok(())
    }

    /// One that ended as soon as it had begun is not begun again at once.
    async fn end(&mut self) {
        self.events = None;
        if self.began.elapsed() < PAUSES.0 {
            self.rest().await;
        }
    }

    /// Waits before the next attempt, or gives up.
    async fn recover(&mut self, refusal: Refusal) -> Result<(), Fault> {
        if matches!(refusal, Refusal::Outdated(_)) {
            self.version.clear();
        }
        let fault = refusal.into_fault();
        if !fault.passes() {
            return Err(fault);
        }
        tracing::debug!(code = %fault.code, "no watch on the Secret: {}", fault.what);
        self.rest().await;
        Ok(())
    }

    async fn rest(&mut self) {
        let pause = self.pause;
        // Before the wait: it may be dropped in it.
        self.pause = (pause * 2).min(PAUSES.1);
        tokio::time::sleep(pause).await;
    }

    /// Whether an event is a change.
    fn takes(&mut self, event: WatchEvent<PartialObjectMeta<Secret>>) -> bool {
        self.pause = PAUSES.0;
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) | WatchEvent::Deleted(object) => {
                self.version = object.metadata.resource_version.unwrap_or_default();
                true
            }
            WatchEvent::Bookmark(bookmark) => {
                self.version = bookmark.metadata.resource_version;
                false
            }
            WatchEvent::Error(status) => {
                // 410: so much has happened that the API server does not know where to go on. From the present, then.
                tracing::debug!(code = status.code, "the watch on the Secret is begun anew");
                self.version.clear();
                self.events = None;
                false
            }
        }
    }
}
