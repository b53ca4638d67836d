//! The API server: how it is found, and what its answers mean.

mod answer;
mod request;
mod rights;

pub(crate) use answer::Refusal;
pub(crate) use request::{LEASES, Request, SECRETS};

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::Fault;
use rights::Rights;

/// How long the API server may take to let us connect.
const CONNECT: Duration = Duration::from_secs(5);

/// A cluster, as this process may use it. Cheap to clone; all clones share the connections.
#[derive(Clone)]
pub struct Cluster {
    config: Arc<Config>,
    client: Arc<Mutex<Client>>,
    rights: Arc<Mutex<Rights>>,
}

impl Cluster {
    /// The cluster that a kubeconfig names (`$KUBECONFIG`, else `~/.kube/config`); without one that in which this process
    /// runs as a pod. The token of a pod is read again as the kubelet renews it. Nothing is asked yet.
    ///
    /// # Errors
    /// `kubernetes-config` when there is neither, or when it cannot be used.
    pub async fn find() -> Result<Self, Fault> {
        Self::of(match Kubeconfig::read() {
            Ok(file) => Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
                .await
                .map_err(|reason| unusable("the kubeconfig", &reason))?,
            // Where nobody asked for a file, none is needed.
            Err(reason) if std::env::var_os("KUBECONFIG").is_some() => {
                return Err(unusable("the kubeconfig that $KUBECONFIG names", &reason));
            }
            Err(_) => Config::incluster().map_err(|reason| {
                unusable("there is no kubeconfig, and the cluster around this process", &reason)
            })?,
        })
    }

    pub(crate) fn of(mut config: Config) -> Result<Self, Fault> {
        config.connect_timeout = Some(CONNECT);
        // We pace ourselves: a request must not be sent once more when its time is over.
        config.default_retry = false;
        let client = Client::try_from(config.clone()).map_err(|reason| unusable("the cluster", &reason))?;
        Ok(Self { config: Arc::new(config), client: Arc::new(Mutex::new(client)), rights: Arc::default() })
    }

    /// Where objects are that are named without a namespace: the pod's own, or the context's.
    #[must_use]
    pub fn default_namespace(&self) -> &str {
        &self.config.default_namespace
    }

    pub(crate) fn client(&self) -> Client {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the token anew. The client keeps a token for most of a minute, although the file may have a better one.
    pub(crate) fn renew(&self) {
        match Client::try_from((*self.config).clone()) {
            Ok(client) => *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client,
            Err(reason) => tracing::warn!(%reason, "the token for the API server cannot be read"),
        }
    }
}

fn unusable(what: &str, reason: &dyn std::fmt::Display) -> Fault {
    Fault::invalid(
        "kubernetes-config",
        format!("{what} cannot be used: {reason}"),
        "run it in a pod with a service account token, or name a kubeconfig by $KUBECONFIG",
    )
}
