//! From the command line to a connection: document, variables, plan, grant, in this order.
//!
//! The document decides which variables are read; a lock file is asked before any of them is.

use std::fs;
use std::path::Path;
use std::time::Duration;

use keyless::{Cache, Connection, CredentialRef, Grant, Lock, Plan, Requirements, Runtime, Variables};

use crate::cli::{Cli, RuntimeArgs};
use crate::document::{self, Document};
use crate::output::problem::{Class, Problem};

/// A connection that is understood, and granted no more than it needs; nothing has been done yet.
pub(crate) struct Session {
    pub(crate) runtime: Runtime,
    pub(crate) document: Document,
    pub(crate) variables: Variables,
    pub(crate) plan: Plan,
    grant: Grant,
}

impl Session {
    /// Finds and understands the connection, and compares it with the lock file if there is one. No network, and no file
    /// but the document's, the lock's, the runtime's and, with a lock, that of a source's component.
    pub(crate) async fn prepare(cli: &Cli) -> Result<Self, Problem> {
        let document =
            document::find(cli.connection.connection.as_deref(), cli.connection.config.as_deref())?;
        tracing::info!(from = document.origin, "connection found");
        let locked = cli.connection.locked.as_deref().map(read_lock).transpose()?;
        let runtime = runtime(&cli.runtime)?;
        let in_document = |error: keyless::Error| Problem::from(error).in_document(&document.origin);

        let names = runtime.variables(&document.text).await.map_err(in_document)?;
        if let Some(lock) = &locked {
            let wanted = Requirements { variables: names.clone(), ..Requirements::default() };
            lock.grant().covers(&wanted)?;
        }
        let mut variables = Variables::from_environment(&names)?;
        if cli.connection.strict {
            variables.set_strict();
        }
        let plan = runtime.plan(&document.text, &variables).await.map_err(in_document)?;
        let grant = match &locked {
            Some(lock) => runtime.pin(lock.grant().narrowed(&plan.requirements)?).await?,
            None => Grant::for_plan(&plan),
        };
        if let Some(source) = &plan.requirements.source {
            variables = variables.with_source(Variables::from_environment(&source.variables)?);
        }
        if cli.connection.strict {
            refuse_control_planes(&plan)?;
        }
        Ok(Self { runtime, document, variables, plan, grant })
    }

    /// What a lock file has to hold.
    pub(crate) async fn lock(&self) -> Result<Lock, Problem> {
        let grant = self.runtime.pin(self.grant.clone()).await?;
        Ok(Lock::new(grant, self.runtime.component_info()))
    }

    /// Opens the connection with exactly what its plan needs, and waits for a credential. The connection lives as long as
    /// what is returned.
    pub(crate) async fn connect(self, patience: Duration) -> Result<(Connection, CredentialRef), Problem> {
        for warning in &self.plan.warnings {
            tracing::warn!(code = %warning.code, "{}", warning.message);
        }
        let in_document = |error: keyless::Error| Problem::from(error).in_document(&self.document.origin);
        let connection =
            self.runtime.open(&self.document.text, self.variables, self.grant).await.map_err(in_document)?;
        let credential = connection.ready(patience).await.map_err(in_document)?;
        for warning in connection.status().warnings {
            tracing::warn!(code = %warning.code, "{}", warning.message);
        }
        Ok((connection, credential))
    }
}

/// The component and the network as the command line wants them.
pub(crate) fn runtime(args: &RuntimeArgs) -> Result<Runtime, Problem> {
    let mut builder = Runtime::builder().cache(match &args.cache_dir {
        _ if args.no_cache => Cache::Off,
        Some(directory) => Cache::Directory(directory.clone()),
        None => Cache::Default,
    });
    if let Some(path) = &args.component {
        builder = builder.component(read_file(path, "component-unreadable", "the component")?);
    }
    for path in &args.ca_cert {
        builder = builder.ca_certificates(read_file(path, "ca-certificates-unreadable", "the CA file")?);
    }
    for rule in &args.connect_to {
        builder = builder.connect_to(rule.parse()?);
    }
    Ok(builder.build()?)
}

/// What can be foreseen is refused before anything is read; the component looks at the token itself.
fn refuse_control_planes(plan: &Plan) -> Result<(), Problem> {
    let doubt = plan.warnings.iter().find(|warning| warning.code == "token-for-a-control-plane");
    doubt.map_or(Ok(()), |doubt| {
        Err(Problem::new(
            Class::Identity,
            "token-for-a-control-plane",
            doubt.message.clone(),
            "give the token an audience of its own as described, or leave out --strict",
        ))
    })
}

fn read_lock(path: &Path) -> Result<Lock, Problem> {
    let bytes = read_file(path, "lock-unreadable", "the lock file")?;
    Ok(Lock::from_json(&String::from_utf8_lossy(&bytes))?)
}

fn read_file(path: &Path, code: &'static str, what: &str) -> Result<Vec<u8>, Problem> {
    fs::read(path).map_err(|reason| {
        Problem::invalid(
            code,
            format!("{what} {} cannot be read: {reason}", path.display()),
            "check the path and its permissions",
        )
    })
}
