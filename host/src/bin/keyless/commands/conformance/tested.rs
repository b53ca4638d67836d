//! The program under test: started, asked line by line, and ended, whatever it does.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::mpsc;

use super::report::Fault;
use crate::output::printable;

/// How long an answer may take. What takes longest is one attempt of the machine, which ends within 30 seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(45);
/// How long the program may take to end once its standard input has.
const ENDING: Duration = Duration::from_secs(10);
/// An answer is a plan or a few decisions. More is no answer.
const LONGEST_LINE: u64 = 16 << 20;
/// Of its standard error so much is kept, the rest is read and thrown away.
const KEPT: usize = 4 << 20;
/// Lines that may wait to be read. A program that writes more of them is held up.
const AHEAD: usize = 256;

/// Its environment holds what makes a proxy be used, or not.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    /// Variables to set beside those that this process has.
    pub(super) variables: Vec<(&'static str, String)>,
}

/// A running program, which ends with this.
pub(super) struct Tested {
    child: Child,
    stdin: Option<ChildStdin>,
    answers: mpsc::Receiver<Line>,
    errors: Arc<Mutex<Vec<u8>>>,
    /// Closed once standard error is.
    speaking: mpsc::Receiver<()>,
}

enum Line {
    Whole(String),
    NotText,
    TooLong,
}

impl Tested {
    pub(super) fn start(program: &[OsString], surroundings: &Surroundings) -> Result<Self, Fault> {
        let mut command =
            crate::child::command(program).map_err(|problem| Fault::came(problem.to_string()))?;
        for name in PROXIES {
            command.env_remove(name);
        }
        command.envs(surroundings.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it starts ends with it.
        command.process_group(0);
        let mut child = command.spawn().map_err(|reason| {
            Fault::new("a program that can be started", format!("{}: {reason}", command_name(&command)))
        })?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (send, answers) = mpsc::channel(AHEAD);
        if let Some(stdout) = stdout {
            thread::spawn(move || read_lines(stdout, &send));
        }
        let errors = Arc::default();
        let (speaks, speaking) = mpsc::channel(1);
        if let Some(stderr) = stderr {
            let errors = Arc::clone(&errors);
            thread::spawn(move || {
                keep(stderr, &errors);
                drop(speaks);
            });
        }
        Ok(Self { child, stdin, answers, errors, speaking })
    }

    /// One request and its answer.
    pub(super) async fn ask(&mut self, request: &str) -> Result<String, Fault> {
        if let Ok(line) = self.answers.try_recv() {
            let shown = line.shown();
            return Err(Fault::new("one answer to each request, and nothing else on standard output", shown));
        }
        self.tell(request).await?;
        self.answer().await
    }

    /// A request, whose answer is to be fetched later. Blocks while the program reads nothing more.
    pub(super) async fn tell(&mut self, request: &str) -> Result<(), Fault> {
        let Some(stdin) = &mut self.stdin else { return Err(Fault::came("standard input is closed")) };
        let written = stdin.write_all(request.as_bytes()).and_then(|()| stdin.write_all(b"\n"));
        match written.and_then(|()| stdin.flush()) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.ended().await),
        }
    }

    /// The next answer.
    pub(super) async fn answer(&mut self) -> Result<String, Fault> {
        let expected = "one line of JSON";
        match tokio::time::timeout(PATIENCE, self.answers.recv()).await {
            Ok(Some(Line::Whole(line))) => Ok(line),
            Ok(Some(line)) => Err(Fault::new(expected, line.shown())),
            Ok(None) => Err(self.ended().await),
            Err(_) => Err(Fault::new(expected, format!("nothing within {} s", PATIENCE.as_secs()))),
        }
    }

    /// Hands the requests to a thread of their own, so that answers can be read meanwhile.
    pub(super) fn pour(&mut self, requests: std::sync::mpsc::Receiver<String>) {
        if let Some(mut stdin) = self.stdin.take() {
            thread::spawn(move || {
                for request in requests {
                    // Whoever waits for the answer learns that the program has ended.
                    if stdin.write_all(request.as_bytes()).and_then(|()| stdin.write_all(b"\n")).is_err() {
                        return;
                    }
                }
            });
        }
    }

    /// Closes its standard input and waits until it has ended by itself.
    pub(super) async fn end(&mut self) -> Result<(), Fault> {
        self.stdin = None;
        let expected = "the program ends when its standard input does, with exit code 0";
        let deadline = Instant::now() + ENDING;
        // Its standard output is closed when it ends.
        if let Ok(Some(line)) = tokio::time::timeout(ENDING, self.answers.recv()).await {
            return Err(Fault::new("no line without a request", line.shown()));
        }
        match self.wait(deadline).await {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(Fault::new(expected, status.to_string())),
            None => Err(Fault::new(expected, format!("it still runs after {} s", ENDING.as_secs()))),
        }
    }

    /// What it wrote on standard error until now.
    pub(super) fn errors(&self) -> String {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&errors).into_owned()
    }

    async fn wait(&mut self, deadline: Instant) -> Option<ExitStatus> {
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            // Between two looks: waiting for a child blocks a thread, and this one may have to be given up.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        None
    }

    /// What became of it. Its output may be closed a moment before it has ended.
    async fn ended(&mut self) -> Fault {
        let how = match self.wait(Instant::now() + Duration::from_secs(2)).await {
            Some(status) => format!("the program has ended ({status})"),
            None => "its standard output or input is closed".to_owned(),
        };
        // What it said before it ended may still be on its way; what it started may go on speaking.
        let _silent = tokio::time::timeout(Duration::from_secs(1), self.speaking.recv()).await;
        let last = self.errors();
        let last = last.lines().next_back().unwrap_or_default();
        let said = if last.is_empty() { String::new() } else { format!("; it said last: {}", cut(last)) };
        Fault::new("an answer", format!("{how}{said}"))
    }
}

/// What may lead to a proxy, in every spelling that is in use.
pub(super) const PROXIES: [&str; 8] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

impl Drop for Tested {
    fn drop(&mut self) {
        self.stdin = None;
        let _gone = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        drop(self.child.wait());
    }
}

impl Line {
    fn shown(&self) -> String {
        match self {
            Self::Whole(line) => cut(line),
            Self::NotText => "a line that is not UTF-8".to_owned(),
            Self::TooLong => format!("a line of more than {} MiB", LONGEST_LINE >> 20),
        }
    }
}

/// As much of a line as a person wants to see of it.
pub(super) fn cut(line: &str) -> String {
    const SHOWN: usize = 300;
    let line = printable(line);
    if line.chars().count() <= SHOWN {
        line.into_owned()
    } else {
        line.chars().take(SHOWN).chain("…".chars()).collect()
    }
}

fn command_name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn read_lines(stdout: impl Read, lines: &mpsc::Sender<Line>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        match stdout.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let whole = line.pop_if(|byte| *byte == b'\n').is_some();
        let line = match String::from_utf8(line) {
            Ok(line) if whole => Line::Whole(line),
            Ok(_) if stdout.buffer().is_empty() => Line::Whole("a line without an end".to_owned()),
            Ok(_) => Line::TooLong,
            Err(_) => Line::NotText,
        };
        if lines.blocking_send(line).is_err() {
            return;
        }
    }
}

fn keep(mut stderr: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut piece = [0; 8192];
    while let Ok(count @ 1..) = stderr.read(&mut piece) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT - kept.len();
        kept.extend(piece.iter().take(count.min(room)));
    }
}
