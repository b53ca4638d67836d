//! A request to the API server, for its deadline and for what is said when it is refused.

use std::fmt;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::rights::{Right, Rights};
use super::{Cluster, Refusal};
use crate::{ObjectName, clock};

/// What is asked of the API server.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    /// As RBAC calls it: `get`, `patch`, ...
    pub(crate) verb: &'static str,
    /// As RBAC calls it, with its group: `secrets` of `""`.
    pub(crate) resource: (&'static str, &'static str),
    pub(crate) object: &'a ObjectName,
    /// How long it may take, its way and the answer's included.
    pub(crate) within: Duration,
}

/// `secrets` as RBAC knows them.
pub(crate) const SECRETS: (&str, &str) = ("", "secrets");
/// `leases` as RBAC knows them.
pub(crate) const LEASES: (&str, &str) = ("coordination.k8s.io", "leases");

impl Request<'_> {
    /// Waits for the answer. A 401 has the token read anew, for the next request.
    pub(crate) async fn send<T>(
        &self,
        cluster: &Cluster,
        answer: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Refusal> {
        match tokio::time::timeout(self.within, answer).await {
            Ok(Ok(answer)) => {
                self.rights(cluster).had(self.right());
                Ok(answer)
            }
            Ok(Err(error)) => {
                let refusal =
                    self.rights(cluster).judge(self.right(), Refusal::of(self, error), clock::now());
                if matches!(refusal, Refusal::Unauthorized(_)) {
                    cluster.renew();
                }
                Err(refusal)
            }
            Err(_) => Err(Refusal::too_late(self)),
        }
    }

    fn rights<'a>(&self, cluster: &'a Cluster) -> MutexGuard<'a, Rights> {
        cluster.rights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn right(&self) -> Right {
        (self.verb, self.resource.1)
    }

    /// The rule of a Role that allows this verb.
    pub(crate) fn rule(&self, verb: &str) -> String {
        let Self { resource: (group, resource), object, .. } = self;
        // Who creates by server-side apply may be held to names, too: the name is part of the request.
        format!(
            "{{apiGroups: [\"{group}\"], resources: [{resource}], resourceNames: [{}], verbs: [{verb}]}}",
            object.name
        )
    }
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.resource == SECRETS { "Secret" } else { "Lease" };
        write!(f, "{} the {kind} {}", self.verb, self.object)
    }
}
