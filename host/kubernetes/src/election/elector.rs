//! Asks the API server what the policy wants to know, and tells who leads.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::PostParams;
use tokio::sync::{oneshot, watch};

use super::policy::{Lead, Policy, Step};
use super::record::{Record, Seen, wall_clock};
use super::{Identity, Timing};
use crate::cluster::{LEASES, Refusal, Request};
use crate::secret::FIELD_MANAGER;
use crate::{Cluster, Fault, Kind, ObjectName, clock};

/// Who leads, as this process knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leadership {
    /// Not we.
    Waiting,
    /// We do, until the moment in it: whoever reads this compares that with the clock.
    Leading(Lead),
    /// Nobody will from here, until somebody acts.
    Failed(Fault),
}

/// A candidate for a Lease.
pub(crate) struct Elector {
    cluster: Cluster,
    lease: ObjectName,
    timing: Timing,
    policy: Policy,
    /// As last read or written.
    object: Option<Lease>,
    tell: watch::Sender<Leadership>,
    /// The last trouble told, so that an outage is told once.
    told: Option<Fault>,
}

impl Elector {
    pub(crate) fn new(
        cluster: Cluster,
        lease: ObjectName,
        timing: Timing,
        identity: Identity,
    ) -> (Self, watch::Receiver<Leadership>) {
        let (tell, leadership) = watch::channel(Leadership::Waiting);
        let policy = Policy::new(identity, timing);
        (Self { cluster, lease, timing, policy, object: None, tell, told: None }, leadership)
    }

    /// Stands for election until `stop`; then gives back what it holds.
    pub(crate) async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        loop {
            let pause = match self.turn().await {
                Ok(pause) => {
                    if self.told.take().is_some() {
                        tracing::info!("the API server answers again");
                    }
                    pause
                }
                Err(fault) if fault.passes() => {
                    if self.told.as_ref().is_none_or(|told| told.code != fault.code) {
                        tracing::warn!(code = %fault.code, "{}", fault.what);
                        self.told = Some(fault);
                    }
                    self.timing.pause()
                }
                Err(fault) => {
                    self.tell.send_replace(Leadership::Failed(fault));
                    return;
                }
            };
            self.tell();
            // Not all at the same moment.
            let jitter = pause / 1024 * (RandomState::new().hash_one(pause) % 205) as u32;
            tokio::select! {
                () = tokio::time::sleep(pause + jitter) => {}
                _ = &mut stop => return self.release().await,
            }
        }
    }

    /// As far as it goes without waiting. How long to wait then.
    async fn turn(&mut self) -> Result<Duration, Fault> {
        loop {
            match self.policy.step(clock::now(), wall_clock()) {
                Step::Look => self.look().await?,
                Step::Write(record, _) => {
                    self.write(&record).await?;
                    if self.policy.lead(clock::now()).is_some() {
                        return Ok(self.timing.pause());
                    }
                }
                Step::Wait(pause) => {
                    // What it says now is old by then.
                    self.policy.not_written();
                    return Ok(pause);
                }
            }
        }
    }

    async fn look(&mut self) -> Result<(), Fault> {
        let answer = self.request("get").send(&self.cluster, self.api().get(&self.lease.name)).await;
        let lease = match answer {
            Ok(lease) => lease,
            Err(Refusal::Missing(_)) => {
                self.policy.gone();
                self.create().await?
            }
            Err(refusal) => return Err(refusal.into_fault()),
        };
        self.policy.looked(clock::now(), Seen::of(&lease));
        self.object = Some(lease);
        Ok(())
    }

    /// An empty one, so that taking it is the same as ever.
    async fn create(&self) -> Result<Lease, Fault> {
        let metadata = ObjectMeta { name: Some(self.lease.name.clone()), ..ObjectMeta::default() };
        let lease = Lease { metadata, ..Lease::default() };
        let (api, options) = (self.api(), options());
        match self.request("create").send(&self.cluster, api.create(&options, &lease)).await {
            Ok(lease) => Ok(lease),
            Err(Refusal::Other(fault)) if fault.kind == Kind::Denied => Err(Fault {
                code: "lease-missing",
                what: format!("there is no Lease {}, and we may not create it", self.lease),
                next: "apply the Lease of the manifests (an empty one will do), or allow to create leases"
                    .to_owned(),
                ..fault
            }),
            Err(refusal) => Err(refusal.into_fault()),
        }
    }

    async fn write(&mut self, record: &Record) -> Result<(), Fault> {
        let Some(mut lease) = self.object.clone() else {
            self.policy.gone();
            return Ok(());
        };
        // The version is in its metadata: the API server compares it.
        record.put_into(&mut lease);
        let sent = clock::now();
        let (api, options) = (self.api(), options());
        let answer = api.replace(&self.lease.name, &options, &lease);
        match self.request("update").send(&self.cluster, answer).await {
            Ok(lease) => {
                self.policy.written(sent, clock::now(), Seen::of(&lease));
                self.object = Some(lease);
                Ok(())
            }
            // Somebody was first, or has deleted it: look.
            Err(Refusal::Outdated(_) | Refusal::Missing(_)) => {
                self.policy.not_written();
                Ok(())
            }
            Err(refusal) => {
                self.policy.not_written();
                Err(refusal.into_fault())
            }
        }
    }

    async fn release(mut self) {
        let Some((record, _)) = self.policy.release(clock::now(), wall_clock()) else { return };
        match self.write(&record).await {
            Ok(()) => tracing::info!(lease = %self.lease, "the lease is given back"),
            Err(fault) => tracing::warn!(code = %fault.code, "the lease is not given back: {}", fault.what),
        }
    }

    fn tell(&self) {
        let now = self.policy.lead(clock::now()).map_or(Leadership::Waiting, Leadership::Leading);
        self.tell.send_if_modified(|before| {
            let other = self.policy.other().unwrap_or("nobody");
            match (&*before, &now) {
                (Leadership::Waiting, Leadership::Leading(lead)) => {
                    tracing::info!(lease = %self.lease, term = lead.term, "leading");
                }
                (Leadership::Leading(_), Leadership::Waiting) => {
                    tracing::warn!(lease = %self.lease, leader = other, "not leading any more");
                }
                _ => {}
            }
            let changed = *before != now;
            *before = now;
            changed
        });
    }

    fn request(&self, verb: &'static str) -> Request<'_> {
        Request { verb, resource: LEASES, object: &self.lease, within: self.timing.patience() }
    }

    fn api(&self) -> Api<Lease> {
        Api::namespaced(self.cluster.client(), &self.lease.namespace)
    }
}

fn options() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}
