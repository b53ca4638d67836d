//! What the demo is played on: a sandbox, a runtime that trusts it, and whatever the steps have brought so far.

use std::time::{Duration, Instant};

use keyless::{Connection, CredentialRef, Grant, Plan, Runtime, Variables};
use keyless_sandbox::{Options, Sandbox};

use super::broken;
use super::client::Client;
use super::traffic::Traffic;
use crate::output::problem::Problem;

/// The first credential lives for this long, so that its renewal (after half of it) can be watched.
pub(super) const FIRST_LIFE: Duration = Duration::from_secs(6);

/// Long enough that two failed attempts and their back-off fit between the renewal and the end.
pub(super) const SECOND_LIFE: Duration = Duration::from_secs(20);

/// No step waits longer for anything.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Stage {
    pub(super) sandbox: Sandbox,
    pub(super) runtime: Runtime,
    pub(super) client: Client,
    pub(super) document: String,
    pub(super) plan: Option<Plan>,
    pub(super) grant: Option<Grant>,
    pub(super) opened: Option<Opened>,
    /// How long the component took to load, compiled or from the cache.
    pub(super) loaded_in: Duration,
}

/// The connection and the application that uses it.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) traffic: Traffic,
}

impl Stage {
    pub(super) async fn set() -> Result<Self, Problem> {
        let options = Options {
            access_token_lifetime: FIRST_LIFE,
            stream_pause: Duration::from_millis(20),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options)
            .await
            .map_err(|reason| broken(format!("the sandbox did not start: {reason}")))?;
        let started = Instant::now();
        let runtime = Runtime::builder().ca_certificates(sandbox.ca_pem()).build()?;
        let loaded_in = started.elapsed();
        let client = Client::new(sandbox.ca_pem())?;
        let document = sandbox.documents().native;
        Ok(Self { sandbox, runtime, client, document, plan: None, grant: None, opened: None, loaded_in })
    }

    pub(super) async fn open(&self) -> Result<Connection, Problem> {
        let grant = self.grant.clone().ok_or_else(|| broken("there is no grant yet"))?;
        Ok(self.runtime.open(&self.document, Variables::default(), grant).await?)
    }

    pub(super) fn opened(&self) -> Result<&Opened, Problem> {
        self.opened.as_ref().ok_or_else(|| broken("there is no connection yet"))
    }

    /// Waits for a credential with a higher generation.
    pub(super) async fn next_after(&self, generation: u64) -> Result<CredentialRef, Problem> {
        let mut changes = self.opened()?.connection.changes();
        let next = async {
            while let Some(credential) = changes.credential().await {
                if credential.generation() > generation {
                    return Some(credential);
                }
            }
            None
        };
        match tokio::time::timeout(PATIENCE, next).await {
            Ok(Some(credential)) => Ok(credential),
            _ => Err(broken(format!(
                "no credential followed generation {generation} within {} s",
                PATIENCE.as_secs()
            ))),
        }
    }

    pub(super) async fn strike(self) -> Result<(), Problem> {
        if let Some(Opened { connection, traffic }) = self.opened {
            traffic.stop().await;
            connection.close().await?;
        }
        self.sandbox.stop().await;
        Ok(())
    }
}
