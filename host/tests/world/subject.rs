//! Another process that holds a connection, so that it can be stopped, measured and searched.
//!
//! It is this very binary, started to run the one "test" at the end of this file. It obeys a line on its standard input
//! with a line on its standard output.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use keyless::sender::Network;
use keyless::{Cache, Clocks, Connection, Runtime};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde::{Deserialize, Serialize};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::callers::{self, Tally};
use crate::stage::{cache, open};

/// The variable in which the process finds its [`Order`], and the beginning of the lines that it answers with.
const ORDER: &str = "KEYLESS_SUBJECT";
const ANSWER: &str = "subject: ";

/// Between two calls of a caller that goes on calling.
const PACE: Duration = Duration::from_millis(50);

/// The files with what to open, whom to trust, and where the time stands; and the one for the token.
#[derive(Serialize, Deserialize)]
struct Order {
    document: PathBuf,
    ca: PathBuf,
    hands: PathBuf,
    token: PathBuf,
}

/// How far both clocks are ahead of the machine's.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Ahead {
    /// Seconds; negative where the clock was set back.
    pub(crate) wall: i64,
    /// Seconds.
    pub(crate) monotonic: u64,
}

/// The process, seen from the test that started it. Goes with the test.
pub(crate) struct Subject {
    process: Child,
    input: ChildStdin,
    answers: BufReader<ChildStdout>,
    directory: tempfile::TempDir,
}

impl Subject {
    /// Opens a connection there, which begins at once to fetch its first credential.
    pub(crate) fn open(document: &str, ca: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = |name| directory.path().join(name);
        let order = Order {
            document: file("document"),
            ca: ca.to_owned(),
            hands: file("hands"),
            token: file("token"),
        };
        std::fs::write(&order.document, document).unwrap();
        set(&order.hands, Ahead::default());
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "subject::obey", "--ignored", "--nocapture"])
            .env(ORDER, serde_json::to_string(&order).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(directory.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let (input, out) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut subject = Self { process, input, answers: BufReader::new(out), directory };
        assert_eq!(subject.answer(), "opened");
        subject
    }

    /// Has it do something, and waits until it is done.
    pub(crate) fn tell(&mut self, command: &str) -> String {
        self.order(command);
        self.answer()
    }

    /// Has it do something as soon as it can.
    pub(crate) fn order(&mut self, command: &str) {
        writeln!(self.input, "{command}").unwrap();
    }

    /// What came of the oldest order.
    pub(crate) fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "it ended: {}", self.log());
            // The harness writes lines of its own, and may not have ended the last one.
            if let Some((_, answer)) = line.trim_end().split_once(ANSWER) {
                return answer.to_owned();
            }
        }
    }

    /// As [`answer`](Self::answer), of callers.
    pub(crate) fn tally(&mut self) -> Tally {
        serde_json::from_str(&self.answer()).unwrap()
    }

    /// Stops the process, as `kill -STOP` does, and returns when it stands still.
    pub(crate) fn stop(&self) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::STOP).unwrap();
        let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().expect("it waits");
        assert!(status.stopped(), "{status:?}: {}", self.log());
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        kill_process(Pid::from_child(&self.process), Signal::CONT).unwrap();
    }

    /// Puts its clocks elsewhere, from one moment to the next.
    pub(crate) fn set_clocks(&self, ahead: Ahead) {
        set(&self.directory.path().join("hands"), ahead);
    }

    /// The token of the credential that it holds. Leaves no further copy of it there.
    #[cfg(target_os = "linux")]
    pub(crate) fn token(&mut self) -> String {
        assert_eq!(self.tell("token"), "written");
        std::fs::read_to_string(self.directory.path().join("token")).unwrap()
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // Stopped or not, whatever it does.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// In one step, so that nobody reads half of it.
fn set(hands: &Path, ahead: Ahead) {
    let new = hands.with_extension("new");
    std::fs::write(&new, serde_json::to_string(&ahead).unwrap()).unwrap();
    std::fs::rename(new, hands).unwrap();
}

/// The machine's clocks, as far ahead as a file says at the moment.
struct Hands {
    file: PathBuf,
    began: Instant,
}

impl Hands {
    fn ahead(&self) -> Ahead {
        serde_json::from_slice(&std::fs::read(&self.file).unwrap()).unwrap()
    }
}

impl Clocks for Hands {
    fn wall(&self) -> Duration {
        let ahead = Duration::from_secs(self.ahead().wall.unsigned_abs());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        if self.ahead().wall < 0 { now - ahead } else { now + ahead }
    }

    fn monotonic(&self) -> Duration {
        self.began.elapsed() + Duration::from_secs(self.ahead().monotonic)
    }
}

/// The process, seen from within. Commands:
///
/// - `ready`, `attempt`: waits for a credential; says its generation or the error, or whatever `Debug` shows of it.
/// - `call N`: lets N callers call the API at the same time, says what they saw.
/// - `beyond N`: lets callers call until a generation above N is held, says what they saw.
/// - `reject N`: says that the API answered 401.
/// - `token`: writes the token into a file.
/// - `show`: all that can be shown of the connection.
/// - `close`, `drop`: ends the connection, in the one way or the other, and everything beside it.
#[test]
#[ignore = "a program that other tests start"]
fn obey() {
    let order: Order = serde_json::from_str(&std::env::var(ORDER).unwrap()).unwrap();
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let ours = tracing_subscriber::filter::Targets::new()
        .with_target("keyless", tracing::Level::TRACE)
        .with_default(tracing::Level::INFO);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(log).with(ours)).unwrap();
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let answer = |text: &dyn std::fmt::Display| println!("{ANSWER}{text}");

    let ca = std::fs::read(&order.ca).unwrap();
    let clocks = Hands { file: order.hands, began: Instant::now() };
    let builder = Runtime::builder().cache(Cache::Directory(cache())).ca_certificates(&*ca).clocks(clocks);
    let mut held = Some({
        let runtime = builder.build().unwrap();
        let document = std::fs::read_to_string(&order.document).unwrap();
        let connection = tokio.block_on(open(&runtime, &document));
        Held { runtime, connection, network: Arc::new(Network::new(&[ca], Vec::new()).unwrap()) }
    });
    answer(&"opened");

    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (command, number) = line.split_once(' ').unwrap_or((&line, "0"));
        let number: usize = number.parse().unwrap();
        let held_now = || held.as_ref().expect("it is gone");
        match command {
            "ready" => match tokio.block_on(held_now().connection.ready(callers::PATIENCE)) {
                Ok(credential) => answer(&credential.generation()),
                Err(error) => answer(&error),
            },
            "attempt" => {
                let outcome = tokio.block_on(held_now().connection.attempt(callers::PATIENCE));
                answer(&format!("{outcome:?}"));
            }
            "reject" => {
                held_now().connection.reject(u64::try_from(number).unwrap());
                answer(&"rejected");
            }
            "token" => {
                let credential = held_now().connection.credential().expect("one is held");
                // Past all buffers.
                std::fs::write(&order.token, credential.token().expect("it is a bearer token")).unwrap();
                answer(&"written");
            }
            "call" => {
                let Held { connection, network, .. } = held_now();
                let tally = tokio.block_on(callers::calls(connection, network, number));
                answer(&serde_json::to_string(&tally).unwrap());
            }
            "beyond" => {
                let Held { connection, network, .. } = held_now();
                let tally = tokio.block_on(beyond(connection, network, number));
                answer(&serde_json::to_string(&tally).unwrap());
            }
            "show" => {
                let Held { runtime, connection, .. } = held_now();
                let (credential, status) = (connection.credential(), connection.status());
                answer(&format!("{runtime:?} {connection:?} {credential:?} {status:?}"));
            }
            "close" | "drop" => {
                let Held { runtime, connection, network } = held.take().expect("it is gone");
                if command == "close" {
                    tokio.block_on(connection.close()).unwrap();
                } else {
                    drop(connection);
                }
                drop((runtime, network));
                // Connections to servers end on their own threads.
                while tokio.metrics().num_alive_tasks() > 0 {
                    std::thread::yield_now();
                }
                answer(&command);
            }
            other => unreachable!("{other}"),
        }
    }
}

/// All that holds secrets.
struct Held {
    runtime: Runtime,
    connection: Connection,
    /// Of the callers.
    network: Arc<Network>,
}

async fn beyond(connection: &Connection, network: &Arc<Network>, generation: usize) -> Tally {
    let (mut tally, mut pace) = (Tally::default(), tokio::time::interval(PACE));
    loop {
        let renewed = connection.status().generation > u64::try_from(generation).unwrap();
        tally.add(callers::calls(connection, network, 20).await);
        if renewed {
            return tally;
        }
        pace.tick().await;
    }
}
