//! The command line: what can be asked for, and the help that says so.
//!
//! Nothing is decided here. Values that may hold secrets are taken as they come, and no default is shown from the
//! environment, so that `--help` cannot print one.

mod accounts;
mod connection;
#[cfg(unix)]
mod sync;

pub(crate) use accounts::{AccountsArgs, AccountsCommand};
pub(crate) use connection::{
    AddArgs, ConnectionCommand, ConnectionsArgs, ListArgs, ListFormat, RemoveArgs, ShowArgs, Store,
};
#[cfg(unix)]
pub(crate) use sync::SyncArgs;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use tracing::level_filters::LevelFilter;

/// The `keyless` command.
#[derive(Parser)]
#[command(
    name = "keyless",
    version,
    about = "Turns the identity that your platform gives a workload into a credential for an API",
    after_help = EXAMPLES,
    subcommand_required = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) runtime: RuntimeArgs,
    #[command(flatten)]
    pub(crate) logging: LoggingArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  keyless plan -c @connection.json          what it would do, without doing it
  keyless token -c @connection.json         a fresh credential on standard output
  keyless run -c prod -- python app.py      a program that is authorised for as long as it runs

Without -c, the connection is taken from $KEYLESS_CONNECTION, else $AIRFLOW_CONN_OPENAI_DEFAULT, else the
default of keyless.toml, else OpenAI's own variables ($OPENAI_API_KEY, $OPENAI_IDENTITY_PROVIDER_ID).

Exit codes: 0 done, 1 failed, 2 invalid document or usage, 3 not granted, 4 no identity token,
5 refused by the token endpoint, 6 unavailable; `run` ends as its program does.";

/// Which connection.
#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// The connection: the document itself, @FILE (JSON, YAML or TOML), - for standard input, or a NAME from
    /// keyless.toml
    #[arg(short, long, value_name = "DOC", global = true)]
    pub(crate) connection: Option<OsString>,
    /// Where connections have names [default: keyless.toml here, else in ~/.config/keyless]
    #[arg(long, value_name = "FILE", global = true, env = "KEYLESS_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// Refuse whatever the document needs beyond this lock file, which `keyless plan --lock FILE` writes
    #[arg(long, value_name = "FILE", global = true, env = "KEYLESS_LOCKED", hide_env_values = true)]
    pub(crate) locked: Option<PathBuf>,
    /// Refuse to send an identity token that is meant for a control plane (the Kubernetes API server, a cloud's own API)
    #[arg(long, global = true, env = "KEYLESS_STRICT", value_parser = clap::builder::BoolishValueParser::new())]
    pub(crate) strict: bool,
    /// Who this is, where the connection makes its keys itself: what earlier processes by this name left is then its own. No
    /// two may go by one name at a time
    #[arg(long, value_name = "NAME", global = true, env = "KEYLESS_INSTANCE", hide_env_values = true)]
    pub(crate) instance: Option<String>,
}

/// How the component is run, and how it reaches the network.
#[derive(Args)]
#[command(next_help_heading = "Network and component")]
pub(crate) struct RuntimeArgs {
    /// Trust the certificates in this PEM file beside the system's (repeatable)
    #[arg(long, value_name = "FILE", global = true, env = "KEYLESS_CA_CERT", hide_env_values = true)]
    pub(crate) ca_cert: Vec<PathBuf>,
    /// For requests to HOST:PORT, connect to ADDR:PORT instead, as curl does (repeatable)
    #[arg(
        long,
        value_name = "HOST:PORT:ADDR:PORT",
        global = true,
        env = "KEYLESS_CONNECT_TO",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub(crate) connect_to: Vec<String>,
    /// Run this component instead of the built-in one
    #[arg(long, value_name = "FILE", global = true, env = "KEYLESS_COMPONENT", hide_env_values = true)]
    pub(crate) component: Option<PathBuf>,
    /// Keep compiled code here [default: keyless in your cache directory]
    #[arg(long, value_name = "DIR", global = true, env = "KEYLESS_CACHE_DIR", hide_env_values = true)]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Compile the component at every start and leave nothing behind
    #[arg(
        long,
        global = true,
        env = "KEYLESS_NO_CACHE",
        hide_env_values = true,
        value_parser = FalseyValueParser::new(),
        action = ArgAction::SetTrue
    )]
    pub(crate) no_cache: bool,
}

/// What is told on standard error.
#[derive(Args)]
#[command(next_help_heading = "Logging (standard error)")]
pub(crate) struct LoggingArgs {
    /// Say more: -v what happens, -vv how, -vvv everything; finer with KEYLESS_LOG=keyless=debug
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// Form of log lines and errors
    #[arg(
        long,
        value_name = "FORMAT",
        global = true,
        env = LOG_FORMAT_VARIABLE,
        hide_env_values = true,
        default_value = "text"
    )]
    pub(crate) log_format: LogFormat,
}

/// Sets `--log-format`.
pub(crate) const LOG_FORMAT_VARIABLE: &str = "KEYLESS_LOG_FORMAT";

/// How log lines and errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// For machines: one object per line
    Json,
}

/// What is to be done.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print a fresh credential
    #[command(after_help = "\
Examples:
  keyless token -c @connection.yaml
  curl -H @<(keyless token -c prod --format headers) https://api.openai.com/v1/models
  keyless token -c prod --format json | jq -r .expires_at")]
    Token(TokenArgs),
    /// Start a program that is authorised for as long as it runs
    #[command(
        override_usage = "keyless run [OPTIONS] -- PROGRAM [ARGUMENT]...",
        after_help = "\
The program gets OPENAI_BASE_URL, a proxy on loopback for as long as it runs, and OPENAI_API_KEY, a bearer for that proxy
alone; for Anthropic's API the variables of its SDKs. The proxy sets the credential and keeps it fresh. Older values and
the connection itself are removed from the program's environment. Signals are passed on to it, and keyless ends with
its exit code: 128+N if signal N ended it, 127 if there is no such program, 126 if it cannot be started.

With --direct the program gets the credential itself, and OPENAI_ORG_ID and OPENAI_PROJECT_ID if the connection has them.
An environment cannot be renewed: such a program is authorised until the credential's lifetime ends.

Examples:
  keyless run -c @connection.json -- python app.py
  keyless run --direct -- env | grep ^OPENAI_"
    )]
    Run(RunArgs),
    /// Give credentials to gateways and applications: as a proxy, an authorisation service, Envoy's secrets, an endpoint
    #[cfg(unix)]
    #[command(after_help = "\
The file holds [connections.NAME] and tables of listeners: [proxy.NAME], [authz.NAME], [sds.NAME], [endpoint.NAME], [ops].
It is read again when it changes and on SIGHUP; one that cannot work changes nothing. SIGTERM ends it politely.

Examples:
  keyless serve -f keyless.toml
  keyless serve -c @connection.json --listen 127.0.0.1:8080     one proxy, without a file")]
    Serve(ServeArgs),
    /// Keep a Kubernetes Secret filled with the connection's credential
    #[cfg(unix)]
    #[command(after_help = "\
Of several that run, one leads by a Lease: it gets the credential, writes it ahead of time, and repairs the Secret. The others
wait, and take over. The cluster is the one around the pod, or that of $KUBECONFIG. SIGTERM ends it; the Secret stays.

A key of the Secret holds the token, unless it says what else: base_url, expires_at, renew_at, headers (`name: value` lines),
or header.NAME.

Examples:
  keyless sync -c @connection.json --secret apps/openai
  keyless sync -c prod --secret openai --key OPENAI_API_KEY --key OPENAI_BASE_URL=base_url

It is part of builds with `--features kubernetes`.")]
    Sync(SyncArgs),
    /// Make one new minted key and print it, for what rotates on a schedule of its own
    #[command(after_help = "\
It is for connections with the exchange `openai-service-account`. The key before it stays good until it lapses; accounts that
nobody uses any more are deleted. What runs all the time rotates by itself: `serve`, `run` and `sync`.

Examples:
  keyless rotate -c @generator.yaml --format env > openai.env")]
    Rotate(TokenArgs),
    /// List the service accounts that minting made, and delete those that nobody uses any more
    #[command(
        subcommand_required = true,
        disable_help_subcommand = true,
        after_help = "\
Examples:
  keyless accounts list -c @generator.yaml
  keyless accounts prune -c @generator.yaml --dry-run"
    )]
    Accounts(AccountsArgs),
    /// Show the connection as it is understood and what it needs, without doing anything
    #[command(after_help = "\
Examples:
  keyless plan -c 'openai://...'                      read before you grant
  keyless plan -c @connection.json --lock keyless.lock   write down what it needs, to be committed
  keyless token -c @connection.json --locked keyless.lock   refuse anything beyond that")]
    Plan(PlanArgs),
    /// Walk every step of the connection and say what holds, what does not, and what to do next
    #[command(after_help = "\
It makes one real attempt: it gets the identity token, trades it, and lists the models of the API with the credential,
which it then throws away. It shows what the identity token says of itself, never the token. The exit code is 0 when all
holds, else that of the failing step, as for `token`.

Examples:
  keyless doctor -c @connection.json
  keyless doctor -c prod --no-call --json | jq '.steps[] | select(.status == \"failed\")'")]
    Doctor(DoctorArgs),
    /// Keep connections in keyless.toml: add, list, show and remove them
    #[command(
        subcommand_required = true,
        arg_required_else_help = false,
        disable_help_subcommand = true,
        after_help = "\
The key is asked for, or read from standard input; it goes into a file for this user alone or into the keyring of the
system, never into keyless.toml. It is never an argument: other users of the machine can read those.

Examples:
  keyless connection add research --organization org-...     asks for the key
  keyless connection add ci --project proj_... --key-file /run/secrets/openai
  keyless connection list
  keyless connection remove research --revoke --admin-key-file admin.key"
    )]
    Connection(ConnectionsArgs),
    /// Show what the component is: digest, size, imports and exports
    #[command(after_help = "\
Examples:
  keyless inspect
  keyless inspect --component other.wasm --json")]
    Inspect(InspectArgs),
    /// Start the outside world on loopback, for trying things out: identity issuer, token endpoint, API
    #[cfg(unix)]
    #[command(after_help = "\
It runs until Ctrl-C and prints what to paste. Everything it makes, keys and tokens too, is for one run.

Examples:
  keyless sandbox
  keyless sandbox --port-exchange 8443 --json")]
    Sandbox(SandboxArgs),
    /// Watch the main job on the sandbox, from a pod's identity to a streamed call, in half a minute
    #[cfg(unix)]
    #[command(after_help = "\
Each step checks what it says; the exit code is 0 only if all of them held.

Examples:
  keyless demo
  keyless demo --json | jq '.steps[].text'")]
    Demo(DemoArgs),
    /// Find out whether a host of your own keeps what a host has to promise
    #[cfg(unix)]
    #[command(
        override_usage = "keyless conformance [OPTIONS] -- PROGRAM [ARGUMENT]...",
        after_help = "\
The program speaks the protocol of docs/write-a-host.md on its standard input and output. It is started once for each check,
against a world on loopback that misbehaves in every way that a host has to stand. The exit code is 0 only if it keeps every
promise; what it answers `unsupported` to, because it loads another component than the machine, is listed.

Examples:
  keyless conformance -- node conformance.mjs
  keyless conformance --only no-redirect --only no-proxy -- ./host
  keyless conformance --traces traces.jsonl --json -- ./host | jq .conforms"
    )]
    Conformance(ConformanceArgs),
}

impl Command {
    /// What is logged where nobody asks for more or less.
    pub(crate) fn log_level(&self) -> LevelFilter {
        match self {
            // Its failures are part of the story, which tells them itself.
            #[cfg(unix)]
            Self::Demo(_) | Self::Conformance(_) => LevelFilter::ERROR,
            Self::Doctor(_) => LevelFilter::ERROR,
            #[cfg(unix)]
            Self::Serve(_) | Self::Sync(_) => LevelFilter::INFO,
            _ => LevelFilter::WARN,
        }
    }
}

/// `keyless token`.
#[derive(Args)]
pub(crate) struct TokenArgs {
    /// What to print: the bearer token alone, header lines, everything as JSON, or variables for a shell
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "token",
        env = "KEYLESS_FORMAT",
        hide_env_values = true
    )]
    pub(crate) format: TokenFormat,
    #[command(flatten)]
    pub(crate) patience: PatienceArgs,
}

/// How `keyless token` prints a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenFormat {
    /// The bearer token and a newline
    Token,
    /// `name: value` lines
    Headers,
    /// One object with headers, base_url, token, generation, renew_at and expires_at
    Json,
    /// `NAME=value` lines, quoted for a shell
    Env,
}

/// `keyless run`.
#[derive(Args)]
pub(crate) struct RunArgs {
    /// Give the program the credential itself instead of a proxy; good until its lifetime ends
    #[arg(long, env = "KEYLESS_DIRECT", value_parser = clap::builder::BoolishValueParser::new())]
    pub(crate) direct: bool,
    #[command(flatten)]
    pub(crate) patience: PatienceArgs,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub(crate) program: Vec<OsString>,
}

/// `keyless serve`.
#[cfg(unix)]
#[derive(Args)]
pub(crate) struct ServeArgs {
    /// What to serve [default: keyless.toml here, else in ~/.config/keyless]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Serve one connection by a proxy on this address, without a file: 127.0.0.1:8080, or unix:/absolute/path
    #[arg(long, value_name = "ADDRESS", conflicts_with = "file", env = "KEYLESS_LISTEN", hide_env_values = true, value_parser = address)]
    pub(crate) listen: Option<keyless_gateway::config::Address>,
    /// When it is ended, let what is under way go on for so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", env = "KEYLESS_DRAIN", hide_env_values = true, value_parser = seconds)]
    pub(crate) drain: std::time::Duration,
    /// Send traces of requests and renewals to this collector, by OTLP over HTTP: http://127.0.0.1:4318 [default:
    /// $OTEL_EXPORTER_OTLP_ENDPOINT]
    #[arg(long, value_name = "URL")]
    pub(crate) traces: Option<keyless_gateway::Collector>,
}

/// How long to wait for a credential.
#[derive(Args)]
pub(crate) struct PatienceArgs {
    /// Give up when there is no credential after so many seconds; an outage is tried again until then
    #[arg(long, value_name = "SECONDS", default_value = "30", env = "KEYLESS_TIMEOUT", hide_env_values = true, value_parser = seconds)]
    pub(crate) timeout: std::time::Duration,
}

/// `keyless plan`.
#[derive(Args)]
pub(crate) struct PlanArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write what the connection needs to this lock file
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
}

/// `keyless doctor`.
#[derive(Args)]
pub(crate) struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Stop at the credential, without a call to the API
    #[arg(long)]
    pub(crate) no_call: bool,
    /// Give up the attempt to get a credential after so many seconds; it is made once
    #[arg(long, value_name = "SECONDS", default_value = "30", env = "KEYLESS_TIMEOUT", hide_env_values = true, value_parser = seconds)]
    pub(crate) timeout: std::time::Duration,
}

/// `keyless inspect`.
#[derive(Args)]
pub(crate) struct InspectArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `keyless demo`.
#[cfg(unix)]
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Print one JSON document at the end
    #[arg(long)]
    pub(crate) json: bool,
}

/// `keyless conformance`.
#[cfg(unix)]
#[derive(Args)]
pub(crate) struct ConformanceArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Make these checks alone (repeatable)
    #[arg(long, value_name = "CHECK")]
    pub(crate) only: Vec<String>,
    /// Also replay the recorded runs in this file, one in each line, and compare every decision
    #[arg(long, value_name = "FILE")]
    pub(crate) traces: Option<PathBuf>,
    /// The program that lets your host be driven, and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub(crate) program: Vec<OsString>,
}

/// `keyless sandbox`.
#[cfg(unix)]
#[derive(Args)]
pub(crate) struct SandboxArgs {
    /// Print one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Port of the identity issuer; 0: any free one, as for the others
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port_issuer: u16,
    /// Port of the token endpoint
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port_exchange: u16,
    /// Port of the API
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port_upstream: u16,
    /// Port of the admin endpoint, which switches faults on and rotates tokens
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port_admin: u16,
}

/// The words of the gateway's own error do not quote.
#[cfg(unix)]
fn address(text: &str) -> Result<keyless_gateway::config::Address, String> {
    text.parse()
}

/// More than zero, at most a day.
fn seconds(text: &str) -> Result<std::time::Duration, &'static str> {
    const WRONG: &str = "give a number of seconds above 0 and up to 86400, such as 30 or 2.5";
    let seconds: f64 = text.parse().map_err(|_| WRONG)?;
    if seconds > 0.0 && seconds <= 86_400.0 {
        std::time::Duration::try_from_secs_f64(seconds).map_err(|_| WRONG)
    } else {
        Err(WRONG)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn patience_is_a_positive_number() {
        assert_eq!(seconds("2.5"), Ok(std::time::Duration::from_millis(2500)));
        for wrong in ["0", "-1", "nan", "inf", "1e9", "", "30s"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
