//! What a service manager hands over and wants to hear: sockets (sd_listen_fds(3)), how far the service is and that it is
//! alive (sd_notify(3)). Where there is none, nothing happens.

use std::collections::btree_map::Entry;
use std::env;
use std::io;

use keyless_gateway::{Socket, Sockets};
use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::output::problem::{Class, Problem};

/// The names of the sockets, with colons in between (systemd.socket(5), `FileDescriptorName=`).
const NAMES: &str = "LISTEN_FDNAMES";

/// How systemd calls a socket that has no name.
const NAMELESS: &str = "unknown";

/// Takes the sockets that were handed over. To be called once and before there is a second thread, because it takes
/// `LISTEN_PID` and `LISTEN_FDS` out of the environment.
///
/// # Errors
/// `listen-systemd` for what is no stream socket, and for a name that comes twice.
pub(crate) fn sockets() -> Result<Sockets, Problem> {
    let names = env::var(NAMES).unwrap_or_default();
    let mut names = names.split(':').filter(|name| !name.is_empty());
    let mut handed_over = ListenFd::from_env();
    let mut sockets = Sockets::new();
    for position in 0..handed_over.len() {
        let name = names.next().unwrap_or(NAMELESS).to_owned();
        let socket = take(&mut handed_over, position).map_err(|reason| {
            problem(
                format!("systemd handed over `{name}`, which cannot be used: {reason}"),
                "hand over stream sockets that listen: ListenStream= and Accept=no in the socket unit",
            )
        })?;
        match sockets.entry(name) {
            Entry::Vacant(free) => free.insert(socket),
            Entry::Occupied(taken) => {
                return Err(problem(
                    format!("systemd handed over two sockets that are called `{}`", taken.key()),
                    "give each a socket unit of its own, with a FileDescriptorName= of its own",
                ));
            }
        };
    }
    Ok(sockets)
}

fn take(handed_over: &mut ListenFd, position: usize) -> io::Result<Socket> {
    let gone = || io::Error::other("it was taken before");
    if let Ok(listener) = handed_over.take_tcp_listener(position) {
        return listener.map(Socket::Tcp).ok_or_else(gone);
    }
    handed_over.take_unix_listener(position)?.map(Socket::Unix).ok_or_else(gone)
}

fn problem(what: String, next: &str) -> Problem {
    Problem::new(Class::Failed, "listen-systemd", what, next)
}

/// How far the service is.
#[derive(Clone, Copy)]
pub(super) enum Stage {
    /// Every listener is open.
    Ready,
    /// The configuration is being read again; [`Ready`](Self::Ready) follows.
    Reloading,
    /// It accepts nothing more, and brings what is under way to its end.
    Stopping,
}

/// Tells the service manager. One that cannot be told is no reason to stop serving.
pub(super) fn tell(stage: Stage) {
    let told = match stage {
        Stage::Ready => sd_notify::notify(&[NotifyState::Ready]),
        // The moment is what `Type=notify-reload` goes by.
        Stage::Reloading => NotifyState::monotonic_usec_now()
            .and_then(|moment| sd_notify::notify(&[NotifyState::Reloading, moment])),
        Stage::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
    };
    if let Err(error) = told {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// Tells the service manager again and again that the event loop turns, where it wants to know (`WatchdogSec=`).
pub(super) struct Watchdog(Option<JoinHandle<()>>);

impl Watchdog {
    /// Twice as often as is asked for, as sd_watchdog_enabled(3) has it.
    pub(super) fn start() -> Self {
        Self(sd_notify::watchdog_enabled().map(|limit| {
            let mut due = tokio::time::interval((limit / 2).max(std::time::Duration::from_millis(1)));
            due.set_missed_tick_behavior(MissedTickBehavior::Delay);
            tokio::spawn(async move {
                loop {
                    due.tick().await;
                    // Whoever does not hear it acts.
                    let _unheard = sd_notify::notify(&[NotifyState::Watchdog]);
                }
            })
        }))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
