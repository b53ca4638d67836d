//! `keyless serve`: the connections of a file, and the listeners on them, until somebody ends it.
//!
//! ```text
//! setup (file, or -c and --listen) -> connections (opened, kept) -> keyless_gateway::Gateway
//!   again when the file changes (watch) or on SIGHUP; SIGTERM and SIGINT drain
//! ```

mod connection;
mod connections;
mod network;
mod setup;
mod systemd;
mod traces;
mod watch;

pub(crate) use connection::Served;
pub(crate) use network::Upstreams;
pub(crate) use systemd::sockets;
pub(crate) use traces::renewals;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use keyless_gateway::{Gateway, Sockets, Traces};
use tokio::signal::unix::{Signal, SignalKind};

use crate::cli::{Cli, ServeArgs};
use crate::output::problem::Problem;
use crate::session;
use crate::signals::catch;
use connections::OpenConnections;
use setup::Setup;
use systemd::{Stage, Watchdog};
use watch::Watch;

/// How long the last traces may take at the end.
const TRACES: Duration = Duration::from_secs(5);

/// Serves until a signal ends it. `sockets`: those that systemd has handed over.
pub(crate) async fn run(cli: &Cli, args: &ServeArgs, sockets: Sockets) -> Result<ExitCode, Problem> {
    let mut signals = Signals::catch()?;
    let upstreams = Arc::new(Upstreams::new(session::network(&cli.runtime)?));
    let mut gateway = Gateway::new(Arc::clone(&upstreams) as _, sockets);
    let mut exporting = None;
    if let Some(collector) = traces::collector(args)? {
        let (traces, started) = Traces::export(collector, Arc::clone(&upstreams) as _);
        traces::tell_of_renewals(traces.clone());
        gateway = gateway.with_traces(traces);
        exporting = Some(started);
    }
    let mut server = Server {
        cli,
        args,
        connections: OpenConnections::new(session::runtime(&cli.runtime)?),
        gateway,
        upstreams,
    };
    let setup = Setup::read(cli, args)?;
    let mut watch = setup.file().map(Watch::new);
    server.apply(&setup).await?;
    let _watchdog = Watchdog::start();
    systemd::tell(Stage::Ready);
    loop {
        let what = tokio::select! {
            asked = signals.next() => match asked {
                Asked::ToEnd => break,
                Asked::ToReload => "SIGHUP",
            },
            () = changed(&mut watch) => "the file has changed",
        };
        tracing::info!(reason = what, "reading the configuration again");
        systemd::tell(Stage::Reloading);
        server.reload().await;
        systemd::tell(Stage::Ready);
    }
    systemd::tell(Stage::Stopping);
    server.finish(args.drain, &mut signals).await;
    if let Some(exporting) = exporting {
        let _sent_or_not = tokio::time::timeout(TRACES, exporting.finish()).await;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is being served.
struct Server<'a> {
    cli: &'a Cli,
    args: &'a ServeArgs,
    connections: OpenConnections,
    gateway: Gateway,
    upstreams: Arc<Upstreams>,
}

impl Server<'_> {
    /// All of it or, with an error, nothing of it.
    async fn apply(&mut self, setup: &Setup) -> Result<(), Problem> {
        let wanted = setup.documents()?;
        let connections = self.connections.with(self.cli, wanted).await?;
        // First, because a connection that was made without its certificate would be kept.
        self.upstreams.present(connections.identities());
        if let Err(fault) = self.gateway.apply(&setup.config, &connections.served()) {
            self.upstreams.present(self.connections.identities());
            let problem = Problem::from(fault);
            return Err(setup.file().into_iter().fold(problem, Problem::in_file));
        }
        self.connections = connections;
        Ok(())
    }

    /// Takes over what the file says now, or goes on as before.
    async fn reload(&mut self) {
        let applied = match Setup::read(self.cli, self.args) {
            Ok(setup) => self.apply(&setup).await,
            Err(problem) => Err(problem),
        };
        match applied {
            Ok(()) => tracing::info!("the configuration is in effect"),
            Err(problem) => tracing::error!(
                code = problem.code(),
                next = problem.next(),
                "the new configuration is not taken, the old one stays: {problem}"
            ),
        }
    }

    /// Lets what is under way come to its end, for so long; a second signal ends it at once.
    async fn finish(self, patience: Duration, signals: &mut Signals) {
        tracing::info!(seconds = patience.as_secs_f64(), "ending; waiting for what is under way");
        tokio::select! {
            () = self.gateway.drain() => {}
            () = signals.until_end() => tracing::warn!("ended by a second signal; what was under way is cut off"),
            () = tokio::time::sleep(patience) => tracing::warn!("out of patience; what is under way is cut off"),
        }
    }
}

async fn changed(watch: &mut Option<Watch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

/// Those that `serve` obeys. Caught from the start, so that an early one is not lost.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn catch() -> Result<Self, Problem> {
        Ok(Self {
            terminate: catch(SignalKind::terminate())?,
            interrupt: catch(SignalKind::interrupt())?,
            hang_up: catch(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::ToEnd,
            _ = self.interrupt.recv() => Asked::ToEnd,
            _ = self.hang_up.recv() => Asked::ToReload,
        }
    }

    async fn until_end(&mut self) {
        while self.next().await != Asked::ToEnd {}
    }
}

/// What a signal asks for.
#[derive(PartialEq, Eq)]
enum Asked {
    ToEnd,
    ToReload,
}
