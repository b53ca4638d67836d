//! From the command line to a connection: document, variables, plan, grant, in this order.
//!
//! The document decides which variables are read; a lock file is asked before any of them is.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Uri;
use http::uri::Authority;
use keyless::sender::{ClientIdentity, Network, Sender};
use keyless::{
    Account, Cache, Connection, CredentialRef, Grant, Lock, Plan, Prune, Requirements, Runtime, Setting,
    Variables,
};

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
    /// Whether a lock file is in force.
    #[cfg(feature = "kubernetes")]
    locked: bool,
}

/// Why a connection is not understood or not granted.
pub(crate) struct Refused {
    pub(crate) by: Gate,
    pub(crate) problem: Problem,
}

/// What a connection has to pass before anything is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// The document has to be understood.
    Document,
    /// A lock file has to allow what it needs.
    Grant,
    /// Where it is wanted strictly, the identity token must not be meant for a control plane.
    Audience,
}

impl Session {
    /// Finds and understands the connection, and compares it with the lock file if there is one. No network, and no file
    /// but the document's, the lock's, the runtime's and, with a lock, that of a source's component.
    pub(crate) async fn prepare(cli: &Cli) -> Result<Self, Problem> {
        let document =
            document::find(cli.connection.connection.as_deref(), cli.connection.config.as_deref())?;
        let runtime = runtime(&cli.runtime)?;
        Self::understand(cli, runtime, document).await.map_err(|refused| refused.problem)
    }

    /// Understands a document that was found. A lock file is asked twice: before any variable is read, and when all
    /// that is needed is known.
    pub(crate) async fn understand(cli: &Cli, runtime: Runtime, document: Document) -> Result<Self, Refused> {
        tracing::info!(from = document.origin, "connection found");
        let in_document = |error: keyless::Error| Refused {
            by: Gate::Document,
            problem: Problem::from(error).in_document(&document.origin),
        };
        let beyond = |problem| Refused { by: Gate::Grant, problem };
        let locked = cli.connection.locked.as_deref().map(read_lock).transpose().map_err(beyond)?;

        let names = runtime.variables(&document.text).await.map_err(in_document)?;
        if let Some(lock) = &locked {
            let wanted = Requirements { variables: names.clone(), ..Requirements::default() };
            lock.grant().covers(&wanted).map_err(|error| beyond(error.into()))?;
        }
        let mut variables = document.variables(&names).map_err(in_document)?;
        if cli.connection.strict {
            variables.set_strict();
        }
        if let Some(instance) = &cli.connection.instance {
            variables.set_instance(instance.as_str());
        }
        let plan = runtime.plan(&document.text, &variables).await.map_err(in_document)?;
        let grant = match &locked {
            Some(lock) => {
                let narrowed =
                    lock.grant().narrowed(&plan.requirements).map_err(|error| beyond(error.into()))?;
                runtime.pin(narrowed).await.map_err(|error| beyond(error.into()))?
            }
            None => Grant::for_plan(&plan),
        };
        if let Some(source) = &plan.requirements.source {
            let own = Variables::from_environment(&source.variables).map_err(in_document)?;
            variables = variables.with_source(own);
        }
        if cli.connection.strict {
            refuse_control_planes(&plan).map_err(|problem| Refused { by: Gate::Audience, problem })?;
        }
        Ok(Self {
            runtime,
            document,
            variables,
            plan,
            grant,
            #[cfg(feature = "kubernetes")]
            locked: locked.is_some(),
        })
    }

    /// The same with one variable more, which the document reads.
    #[cfg(feature = "kubernetes")]
    pub(crate) async fn with_variable(&mut self, name: &str, value: String) -> Result<(), Problem> {
        self.variables.set(name, value);
        let plan = self.runtime.plan(&self.document.text, &self.variables).await;
        self.plan = plan.map_err(|error| Problem::from(error).in_document(&self.document.origin))?;
        self.grant = if self.locked {
            self.grant.narrowed(&self.plan.requirements)?
        } else {
            Grant::for_plan(&self.plan)
        };
        Ok(())
    }

    /// What a lock file has to hold.
    pub(crate) async fn lock(&self) -> Result<Lock, Problem> {
        let grant = self.runtime.pin(self.grant.clone()).await?;
        Ok(Lock::new(grant, self.runtime.component_info()))
    }

    /// Opens the connection with exactly what its plan needs. It fetches its first credential in the background.
    pub(crate) async fn open(&self) -> Result<Connection, Problem> {
        let opened = self.runtime.open(&self.document.text, self.variables.clone(), self.grant.clone()).await;
        opened.map_err(|error| Problem::from(error).in_document(&self.document.origin))
    }

    /// The service accounts that connections made in the project, after deleting those that `prune` says.
    pub(crate) async fn accounts(&self, prune: Prune) -> Result<Vec<Account>, Problem> {
        let found = self.runtime.accounts(&self.document.text, &self.variables, &self.grant, prune).await;
        found.map_err(|error| Problem::from(error).in_document(&self.document.origin))
    }

    /// Whether the connection makes its keys itself.
    pub(crate) fn mints(&self) -> bool {
        let minted = |setting: &Setting| setting.name == "auth_type" && setting.value == "minted_key";
        self.plan.settings.iter().any(minted)
    }

    /// Logs what is doubtful about the document.
    pub(crate) fn warn(&self) {
        for warning in &self.plan.warnings {
            tracing::warn!(code = %warning.code, "{}", warning.message);
        }
    }

    /// The client certificate of the plan, and the API that wants to see it as well.
    pub(crate) fn presents(&self) -> Option<(Authority, ClientIdentity)> {
        let names = self.plan.requirements.client_certificate.as_ref()?;
        let base_url = self.plan.settings.iter().find(|setting| setting.name == "api.base_url")?;
        let authority = base_url.value.parse::<Uri>().ok()?.into_parts().authority?;
        Some((authority, ClientIdentity::new(names)))
    }

    /// Opens the connection and waits for a credential. The connection lives as long as what is returned.
    pub(crate) async fn connect(self, patience: Duration) -> Result<(Connection, CredentialRef), Problem> {
        self.warn();
        let connection = self.open().await?;
        let credential = connection
            .ready(patience)
            .await
            .map_err(|error| Problem::from(error).in_document(&self.document.origin))?;
        for warning in connection.status().warnings {
            tracing::warn!(code = %warning.code, "{}", warning.message);
        }
        Ok((connection, credential))
    }
}

/// The component and the network as the command line wants them.
pub(crate) fn runtime(args: &RuntimeArgs) -> Result<Runtime, Problem> {
    runtime_over(args, network(args)?)
}

/// The component as the command line wants it, over a network of one's own.
pub(crate) fn runtime_over(args: &RuntimeArgs, sender: impl Sender) -> Result<Runtime, Problem> {
    let mut builder = Runtime::builder().sender(sender).cache(match &args.cache_dir {
        _ if args.no_cache => Cache::Off,
        Some(directory) => Cache::Directory(directory.clone()),
        None => Cache::Default,
    });
    if let Some(path) = &args.component {
        builder = builder.component(read_file(path, "component-unreadable", "the component")?);
    }
    Ok(builder.build()?)
}

/// The network as the command line wants it.
pub(crate) fn network(args: &RuntimeArgs) -> Result<Network, Problem> {
    let read = |path: &PathBuf| read_file(path, "ca-certificates-unreadable", "the CA file");
    let certificates = args.ca_cert.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let rules = args.connect_to.iter().map(|rule| rule.parse()).collect::<Result<Vec<_>, _>>()?;
    Ok(Network::new(&certificates, rules)?)
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
