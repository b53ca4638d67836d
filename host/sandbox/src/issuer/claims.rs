//! What a projected service account token says.

use std::time::Duration;

use ring::error::Unspecified;
use serde_json::{Map, Value, json};

use crate::options::Options;
use crate::random;

/// A token to be issued. [`Sandbox::claims`](crate::Sandbox::claims) gives the workload's; change what a test needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// Kubernetes namespace, part of `sub`.
    pub namespace: String,
    /// Kubernetes service account, part of `sub`.
    pub service_account: String,
    /// `aud`.
    pub audience: Vec<String>,
    /// `exp` minus `iat`. Whole seconds.
    pub lifetime: Duration,
    /// How long ago it was issued: `iat` and `nbf` lie so far back. Whole seconds.
    pub age: Duration,
    /// Claims to add or to replace. Null leaves a claim out.
    pub overrides: Map<String, Value>,
}

impl Claims {
    pub(crate) fn of_workload(options: &Options) -> Self {
        Self {
            namespace: options.namespace.clone(),
            service_account: options.service_account.clone(),
            audience: vec![options.audience.clone()],
            lifetime: options.subject_lifetime,
            age: Duration::ZERO,
            overrides: Map::new(),
        }
    }

    /// The payload, as a Kubernetes API server fills it.
    pub(crate) fn payload(&self, issuer: &str, now_s: u64, pod: &Pod) -> Result<Value, Unspecified> {
        let issued_at = now_s.saturating_sub(self.age.as_secs());
        let mut payload = json!({
            "aud": self.audience,
            "exp": issued_at.saturating_add(self.lifetime.as_secs()),
            "iat": issued_at,
            "iss": issuer,
            "jti": random::uuid()?,
            "kubernetes.io": {
                "namespace": self.namespace,
                "node": {"name": "sandbox-node", "uid": pod.node_uid},
                "pod": {"name": format!("{}-0", self.service_account), "uid": pod.pod_uid},
                "serviceaccount": {"name": self.service_account, "uid": pod.service_account_uid},
            },
            "nbf": issued_at,
            "sub": format!("system:serviceaccount:{}:{}", self.namespace, self.service_account),
        });
        if let Some(claims) = payload.as_object_mut() {
            for (name, value) in &self.overrides {
                match value {
                    Value::Null => claims.remove(name),
                    _ => claims.insert(name.clone(), value.clone()),
                };
            }
        }
        Ok(payload)
    }
}

/// The identifiers that stay the same as long as a pod lives.
pub(crate) struct Pod {
    node_uid: String,
    pod_uid: String,
    service_account_uid: String,
}

impl Pod {
    pub(crate) fn new() -> Result<Self, Unspecified> {
        Ok(Self { node_uid: random::uuid()?, pod_uid: random::uuid()?, service_account_uid: random::uuid()? })
    }
}
