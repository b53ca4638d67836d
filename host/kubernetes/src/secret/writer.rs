//! Writes the Secret, and only as a leader.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};

use super::object::{applied, rehearsed};
use super::standing::{is_as, is_by_a_later_leader};
use super::{Content, FIELD_MANAGER, Standing, Target};
use crate::cluster::{Refusal, Request, SECRETS};
use crate::election::Lead;
use crate::sync::Origin;
use crate::{Cluster, Fault, clock};

/// How long the API server may take, where the lead does not end before.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is tried while others write to the same Secret at the same time.
const ATTEMPTS: u32 = 4;

/// Writes one Secret.
pub(crate) struct Writer {
    pub(crate) cluster: Cluster,
    pub(crate) target: Target,
    pub(crate) origin: Origin,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Written,
    /// It was as it should be.
    Unchanged,
}

impl Writer {
    /// Looks at the Secret.
    pub(crate) async fn standing(&self) -> Result<Standing, Fault> {
        let existing = self.read(PATIENCE).await?;
        Standing::of(existing.as_ref(), &self.target, &self.origin)
    }

    /// Whether the API server would take what [`put`](Self::put) will send: asked before there is a credential, so that none
    /// is made that cannot be kept.
    pub(crate) async fn rehearse(&self, lead: &Lead) -> Result<(), Fault> {
        self.apply(&rehearsed(&self.target, &self.origin, lead), true, left(lead)?)
            .await
            .map_err(Refusal::into_fault)
    }

    /// Has the Secret hold this. Every write names the version that it replaces, and gives way to a later leader: so an
    /// earlier one that does not know yet cannot undo what its successor has written.
    pub(crate) async fn put(&self, lead: &Lead, content: &Content) -> Result<Put, Fault> {
        let mut attempts = 1..=ATTEMPTS;
        loop {
            let existing = self.read(left(lead)?).await?;
            Standing::of(existing.as_ref(), &self.target, &self.origin)?;
            let mut wanted = applied(&self.target, &self.origin, lead, content);
            if let Some(existing) = existing {
                if is_by_a_later_leader(&existing, lead) {
                    return Err(not_leading("a later leader has written the Secret"));
                }
                if is_as(&existing, &wanted) {
                    return Ok(Put::Unchanged);
                }
                wanted.metadata.resource_version = existing.metadata.resource_version;
            }
            match self.apply(&wanted, false, left(lead)?).await {
                Ok(()) => return Ok(Put::Written),
                Err(Refusal::Outdated(_)) if attempts.next().is_some() => {}
                Err(refusal) => return Err(refusal.into_fault()),
            }
        }
    }

    async fn read(&self, within: Duration) -> Result<Option<Secret>, Fault> {
        let request = self.request("get", within);
        let answer =
            request.send(&self.cluster, async { self.api().get_opt(&self.target.secret.name).await });
        answer.await.map_err(Refusal::into_fault)
    }

    async fn apply(&self, wanted: &Secret, dry_run: bool, within: Duration) -> Result<(), Refusal> {
        let options = PatchParams {
            dry_run,
            force: self.target.force,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Apply(wanted);
        let request = self.request("patch", within);
        let answer = async { self.api().patch(&self.target.secret.name, &options, &patch).await };
        request.send(&self.cluster, answer).await.map(|_secret| ())
    }

    fn request(&self, verb: &'static str, within: Duration) -> Request<'_> {
        Request { verb, resource: SECRETS, object: &self.target.secret, within }
    }

    fn api(&self) -> Api<Secret> {
        Api::namespaced(self.cluster.client(), &self.target.secret.namespace)
    }
}

/// What is left of the lead, for a request.
fn left(lead: &Lead) -> Result<Duration, Fault> {
    let left = lead.until.saturating_sub(clock::now());
    if left.is_zero() {
        Err(not_leading("the lease ran out before the Secret was written"))
    } else {
        Ok(left.min(PATIENCE))
    }
}

fn not_leading(what: &str) -> Fault {
    Fault::unavailable("lease-lost", what, "nothing is written; it stands for election again")
}
