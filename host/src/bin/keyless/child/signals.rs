//! Signals that are sent to us reach the program that runs in our place.
//!
//! Not those that it gets anyway: on Ctrl-C a terminal sends SIGINT to the whole group, us and the program, and a second
//! one would make many programs give up cleaning up. The kernel says who sent a signal; one from the terminal comes from
//! nobody.

use std::io;
use std::process::Child;
use std::thread;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;

const PASSED_ON: [i32; 7] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH];

/// Signals that arrive from now on are kept, to be passed on.
pub(super) struct Signals(SignalsInfo<WithOrigin>);

impl Signals {
    /// Catches them, but for those that we were told to ignore (`nohup`): so is the program, unless we reset that.
    pub(super) fn catch() -> io::Result<Self> {
        let ignored = ignored();
        SignalsInfo::new(PASSED_ON.iter().filter(|signal| ignored & (1 << (*signal - 1)) == 0)).map(Self)
    }

    /// Passes on what arrived and what arrives, until the child has ended. Does not reap it, so that no signal can reach
    /// another process that got its number.
    pub(super) fn pass_to(mut self, child: &Child) -> io::Result<()> {
        let Some(pid) = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default()) else {
            return Err(io::Error::other("the program has no process number"));
        };
        let handle = self.0.handle();
        let passing = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for origin in self.0.forever() {
                if let Some(signal) = to_pass(origin.signal, origin.process.is_none()) {
                    // It may have ended just now, and then there is nothing left to tell it.
                    let _ended = kill_process(pid, signal);
                }
            }
        })?;
        let ended = loop {
            match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other,
            }
        };
        handle.close();
        let _joined = passing.join();
        ended.map(|_| ()).map_err(io::Error::from)
    }
}

fn to_pass(signal: i32, from_terminal: bool) -> Option<Signal> {
    match signal {
        SIGINT | SIGQUIT | SIGWINCH if from_terminal => None,
        signal => Signal::from_named_raw(signal),
    }
}

/// Bit N-1 is set for a signal N that this process was started to ignore.
#[cfg(target_os = "linux")]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn ignored() -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_terminal_sent_to_both_is_not_sent_twice() {
        assert_eq!(to_pass(SIGINT, true), None);
        assert_eq!(to_pass(SIGINT, false), Some(Signal::INT));
        // On a hang-up the kernel may tell us alone.
        assert_eq!(to_pass(SIGHUP, true), Some(Signal::HUP));
        assert!(PASSED_ON.iter().all(|signal| to_pass(*signal, false).is_some()));
    }
}
