//! From the command line to the loop, and its end.

use std::process::ExitCode;

use keyless_kubernetes::{Cluster, Fault, Kind, sync};
use tokio::signal::unix::{Signal, SignalKind};

use super::mounted::Mounted;
use super::settings;
use super::supply::Connections;
use crate::cli::{Cli, SyncArgs};
use crate::output::problem::{Class, Problem};
use crate::session::Session;
use crate::signals::catch;

/// Keeps the Secret filled until a signal ends it.
pub(in crate::commands) async fn run(cli: &Cli, args: &SyncArgs) -> Result<ExitCode, Problem> {
    let stop = Stop::catch()?;
    // Understood before anything is asked of the cluster, and by everyone who waits: so a mistake is found at once.
    let mut session = Session::prepare(cli).await?;
    session.warn();
    let cluster = Cluster::find().await?;
    let _mounted = if args.kube_secrets { Mounted::of(&mut session, &cluster).await? } else { None };
    let (settings, keys) = settings::read(args, &session, cluster.default_namespace())?;
    let mut connections = Connections::new(cli, session, keys);
    sync(cluster, settings, &mut connections, stop.received()).await?;
    Ok(ExitCode::SUCCESS)
}

/// The signals that end it. Caught from the start, so that an early one is not lost.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn catch() -> Result<Self, Problem> {
        Ok(Self { terminate: catch(SignalKind::terminate())?, interrupt: catch(SignalKind::interrupt())? })
    }

    async fn received(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let class = match fault.kind {
            Kind::Invalid => Class::Invalid,
            Kind::Denied => Class::Denied,
            Kind::Conflict => Class::Failed,
            Kind::Unavailable => Class::Unavailable,
        };
        Self::new(class, fault.code, fault.what, fault.next)
    }
}
