//! What lies in the memory of the command, and whether anybody else gets to see it.

#[path = "../world/memory.rs"]
mod search;

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use search::copies;

use crate::harness::{Background, Scratch, World};

fn line(out: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// The names of its threads.
fn threads(process: u32) -> String {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    // One of them may just have ended.
    threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok()).collect()
}

/// While the program runs, it alone has the credential. Who may not trace the command cannot even look.
#[test]
fn the_command_keeps_nothing_of_what_it_handed_to_the_program() {
    let world = World::new();
    let identity = std::fs::read_to_string(world.sandbox.token_path()).unwrap();
    let script = "echo $$; echo $OPENAI_API_KEY; read line";
    let mut keyless = world.keyless(["run", "--direct", "--", "sh", "-c", script]);
    let mut child = Background(keyless.command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
    let mut out = BufReader::new(child.0.stdout.take().unwrap());
    let (program, token) = (line(&mut out), line(&mut out));

    // Only who may trace any process gets further.
    if let Err(refused) = std::fs::File::open(format!("/proc/{}/mem", child.0.id())) {
        assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
        return;
    }
    // It forgets before it begins to pass on signals, and must not change while it is searched.
    while !threads(child.0.id()).contains("signals") {
        std::thread::yield_now();
    }
    let keyless = Pid::from_child(&child.0);
    kill_process(keyless, Signal::STOP).unwrap();
    waitpid(Some(keyless), WaitOptions::UNTRACED).unwrap();
    let middle = |secret: &str| secret[secret.len() / 2..][..32].to_owned();
    let left = [&identity, &token].map(|secret| copies(child.0.id(), &middle(secret)));
    let handed = copies(program.parse().unwrap(), &middle(&token)).len();
    kill_process(keyless, Signal::CONT).unwrap();
    println!("`keyless run`: {handed} copies of the credential in the program, in the command {left:?}");
    assert!(handed > 0, "what is in use is not found");
    assert_eq!(left, [const { Vec::<String>::new() }; 2]);
}

#[test]
fn no_core_dump_is_written() {
    let scratch = Scratch::new();
    let aborted = |program: &[&str]| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -c $(ulimit -H -c); exec \"$@\"", "sh"]).args(program);
        // Where a core would be written, if there were one.
        shell.current_dir(scratch.path());
        shell.env("KEYLESS_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/keyless-cli-cache"));
        shell.env("KEYLESS_CONNECTION", r#"{"api_key":"sk-1"}"#);
        let mut child = Background(shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
        let mut out = BufReader::new(child.0.stdout.take().unwrap());
        assert_eq!(line(&mut out), "ready");
        kill_process(Pid::from_child(&child.0), Signal::ABORT).unwrap();
        let status = child.0.wait().unwrap();
        assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
        status.core_dumped()
    };
    let program = ["sh", "-c", "echo ready; read line"];
    let ours = aborted(&[&[env!("CARGO_BIN_EXE_keyless"), "run", "--"], &program[..]].concat());
    println!("core dumped: a program {}, `keyless run` {ours}", aborted(&program));
    assert!(!ours);
}
