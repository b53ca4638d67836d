//! `keyless run` and signals.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Background, Scratch};

/// A running `keyless run` whose program has said "ready".
struct Running {
    child: Background,
    /// The program reads from it until a signal interrupts that, or until it is closed.
    input: ChildStdin,
    out: BufReader<ChildStdout>,
    _scratch: Scratch,
}

impl Running {
    /// The script says "ready" once its traps are set.
    fn start(traps: &str) -> Self {
        do_not_ignore(&[Signal::HUP, Signal::INT, Signal::QUIT]);
        let scratch = Scratch::new();
        let script = format!("{traps}; echo ready; while read line; do :; done; exit 0");
        let mut keyless = scratch.keyless(["run", "-c", r#"{"api_key":"sk-1"}"#, "--", "sh", "-c", &script]);
        let mut child = keyless.command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut running =
            Self { child: Background(child), input, out: BufReader::new(out), _scratch: scratch };
        assert_eq!(running.line(), "ready\n");
        running
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.0), signal).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// Waits for the end; tells the exit code, and that the program wrote nothing more.
    fn end(mut self) -> Option<i32> {
        drop(self.input);
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        self.child.0.wait().unwrap().code()
    }
}

/// What a process ignores, its children ignore too, and a shell cannot trap it then. Tests that run in the background may
/// well ignore these. A handler is not inherited; this one ends the tests, as the signal itself would.
fn do_not_ignore(signals: &[Signal]) {
    for signal in signals {
        let always = Arc::new(AtomicBool::new(true));
        signal_hook::flag::register_conditional_shutdown(signal.as_raw(), 1, always).unwrap();
    }
}

#[test]
fn signals_reach_the_program() {
    for (name, signal) in [
        ("HUP", Signal::HUP),
        ("INT", Signal::INT),
        ("QUIT", Signal::QUIT),
        ("TERM", Signal::TERM),
        ("USR1", Signal::USR1),
        ("USR2", Signal::USR2),
        ("WINCH", Signal::WINCH),
    ] {
        let mut running = Running::start(&format!("trap 'echo got {name}; exit 9' {name}"));
        running.send(signal);
        assert_eq!(running.line(), format!("got {name}\n"));
        assert_eq!(running.end(), Some(9));
    }
}

#[test]
fn a_program_that_dies_of_it_counts_as_dead() {
    let mut running = Running::start("trap 'echo dying; trap - TERM; kill -TERM $$' TERM");
    running.send(Signal::TERM);
    assert_eq!(running.line(), "dying\n");
    assert_eq!(running.end(), Some(128 + 15));
}

#[test]
fn a_program_that_goes_on_is_let_go_on() {
    let mut running = Running::start("trap 'echo still here' USR1");
    running.send(Signal::USR1);
    assert_eq!(running.line(), "still here\n");
    assert_eq!(running.end(), Some(0));
}

/// `nohup keyless run -- ...`: what is ignored stays ignored.
#[cfg(target_os = "linux")]
#[test]
fn an_ignored_signal_stays_ignored_in_the_program() {
    let scratch = Scratch::new();
    let keyless =
        scratch.keyless(["run", "-c", r#"{"api_key":"sk-1"}"#, "--", "grep", "SigIgn", "/proc/self/status"]);
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
        .arg(keyless.command.get_program())
        .args(keyless.command.get_args());
    shell.current_dir(scratch.path());
    for (name, value) in keyless.command.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    let output = shell.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mask = u64::from_str_radix(text.trim().rsplit('\t').next().unwrap(), 16).unwrap();
    assert_eq!(mask & 1, 1, "SIGHUP is the lowest bit: {text}");
}
