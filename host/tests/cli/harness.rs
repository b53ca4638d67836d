//! Starting the command in a scratch directory, and the sandbox beside it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use keyless_sandbox::{Options, Sandbox};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// A document that needs nothing from outside; its project tells it from another.
pub(crate) fn document(project: &str) -> String {
    format!(r#"{{"api_key":"sk-test-key","api":{{"project":"{project}"}}}}"#)
}

/// An empty directory to run in, which is also the home directory.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, with the directories above it.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The command with these arguments, in this directory and with an environment of its own.
    pub(crate) fn keyless<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Keyless {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyless"));
        command.args(arguments).current_dir(self.path());
        command.env_clear().env("HOME", self.path());
        // Compiled once for all tests.
        command.env("KEYLESS_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/keyless-cli-cache"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Keyless { command, input: None }
    }
}

/// The command in a directory that is empty and goes at the end of the test.
pub(crate) fn keyless<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Outcome {
    Scratch::new().keyless(arguments).outcome()
}

/// The command, not yet started.
pub(crate) struct Keyless {
    pub(crate) command: Command,
    input: Option<Vec<u8>>,
}

impl Keyless {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What it reads on standard input.
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// The same once more, as far as it was said until now.
    pub(crate) fn again(&self) -> Self {
        let mut command = Command::new(self.command.get_program());
        command.args(self.command.get_args()).env_clear();
        for (name, value) in self.command.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        if let Some(directory) = self.command.get_current_dir() {
            command.current_dir(directory);
        }
        Self { command, input: self.input.clone() }
    }

    /// Runs it to its end.
    pub(crate) fn outcome(mut self) -> Outcome {
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child =
            self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let (Some(input), Some(mut stdin)) = (self.input, child.stdin.take()) {
            // It may have given up reading.
            drop(stdin.write_all(&input));
        }
        let output = child.wait_with_output().unwrap();
        Outcome {
            // A panic or a signal must not look like an exit code.
            code: output.status.code().unwrap_or_else(|| -output.status.signal().unwrap()),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A command that runs beside the test, and not for longer than it, however that ends.
pub(crate) struct Background(pub(crate) Child);

impl Drop for Background {
    fn drop(&mut self) {
        // An orderly end, so that a sandbox removes its directory. Harmless when the test has seen it end.
        if let Ok(None) = self.0.try_wait() {
            let _gone = kill_process(Pid::from_child(&self.0), Signal::TERM);
            drop(self.0.wait());
        }
    }
}

/// How it ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outcome {
    /// It worked and had nothing to complain about.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{self:?}");
        self.out
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.success()).unwrap()
    }

    /// It failed with this exit code and error code, said so in two lines, and wrote no result.
    #[track_caller]
    pub(crate) fn failure(self, code: i32, error: &str) -> Self {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{self:?}");
        let lines: Vec<_> = self.err.lines().skip_while(|line| !line.starts_with("error: ")).collect();
        assert_eq!(lines.len(), 2, "{self:?}");
        assert!(lines[0].ends_with(&format!(" ({error})")), "{self:?}");
        assert!(lines[1].strip_prefix("next: ").is_some_and(|next| !next.is_empty()), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text:?} is not in {self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn says_nothing_of(self, text: &str) -> Self {
        assert!(!self.err.contains(text), "{text:?} is in {self:?}");
        self
    }

    /// The project of the connection that `plan --json` printed: tells which one was taken.
    #[track_caller]
    pub(crate) fn project(self) -> String {
        setting(&self.json(), "api.project")
    }
}

/// One setting of a plan.
#[track_caller]
pub(crate) fn setting(plan: &Value, name: &str) -> String {
    let settings = plan["settings"].as_array().unwrap();
    let found = settings.iter().find(|setting| setting["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {plan}"))["value"].as_str().unwrap().to_owned()
}

/// The outside world.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) scratch: Scratch,
    // Last, because the sandbox's tasks live on it.
    pub(crate) tokio: tokio::runtime::Runtime,
}

impl World {
    pub(crate) fn new() -> Self {
        let tokio =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sandbox = tokio.block_on(Sandbox::start(Options::default())).unwrap();
        Self { sandbox, scratch: Scratch::new(), tokio }
    }

    /// The command, trusting the sandbox, with its ready-made document unless `arguments` name another.
    pub(crate) fn keyless<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Keyless {
        self.scratch
            .keyless(arguments)
            .env("KEYLESS_CA_CERT", self.sandbox.ca_path())
            .env("KEYLESS_CONNECTION", self.sandbox.documents().native)
    }

    /// The ready-made document with one text replaced.
    pub(crate) fn document_with(&self, from: &str, to: &str) -> String {
        let document = self.sandbox.documents().native;
        assert!(document.contains(from), "{document}");
        document.replace(from, to)
    }
}
