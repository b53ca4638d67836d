//! `keyless connection`: its words.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `keyless connection`.
#[derive(Args)]
pub(crate) struct ConnectionsArgs {
    #[command(subcommand)]
    pub(crate) command: ConnectionCommand,
}

/// What is to be done with the connections of `keyless.toml`.
#[derive(Subcommand)]
pub(crate) enum ConnectionCommand {
    /// Write a connection into keyless.toml, and put its key where only you can read it
    Add(Box<AddArgs>),
    /// List the connections, the broken ones among them
    List(ListArgs),
    /// Show one connection, where its key is, and whether it can be read
    Show(ShowArgs),
    /// Take a connection out of keyless.toml, and the key that `add` has stored out of its place
    #[command(after_help = "\
Removing a connection does not delete the key at OpenAI. With --revoke the key is deleted there first: by the Admin API,
whose own key is read from --admin-key-file or $OPENAI_ADMIN_KEY. The key is found among those of the project by what
OpenAI shows of it; when that is not exactly one, nothing is deleted and nothing removed.")]
    Remove(RemoveArgs),
}

/// `keyless connection add`.
#[derive(Args)]
pub(crate) struct AddArgs {
    /// A name of letters, digits, _ and -, for `-c NAME`
    #[arg(value_name = "NAME")]
    pub(crate) name: OsString,
    /// The organization: org-...
    #[arg(long, value_name = "ORG")]
    pub(crate) organization: Option<String>,
    /// The project: proj_...
    #[arg(long, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// Where the API is [default: https://api.openai.com/v1]
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// What people call it; no other connection of the file may be called so [default: NAME]
    #[arg(long, value_name = "TEXT")]
    pub(crate) nickname: Option<String>,
    /// A note of what the key may do. What it really may do is decided at OpenAI
    #[arg(long, value_name = "WHICH")]
    pub(crate) permissions: Option<Permissions>,
    /// The key stays in this file of yours, which is read when it is needed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_variable", "store"])]
    pub(crate) key_file: Option<PathBuf>,
    /// The key is in this environment variable wherever the connection is used
    #[arg(long, value_name = "NAME", conflicts_with = "store")]
    pub(crate) key_variable: Option<String>,
    /// Where to put a key that is typed or comes from standard input
    #[arg(long, value_name = "WHERE", default_value = "file")]
    pub(crate) store: Store,
    /// Make it the connection that is used without -c
    #[arg(long)]
    pub(crate) default: bool,
    /// Replace the connection that has this name
    #[arg(long)]
    pub(crate) replace: bool,
    /// To be refused with the reason.
    #[arg(long, alias = "api-key", hide = true, value_name = "KEY")]
    pub(crate) key: Option<OsString>,
    /// To be refused with the reason.
    #[arg(hide = true, value_name = "KEY")]
    pub(crate) more: Vec<OsString>,
}

/// What a key may do, as people have noted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Permissions {
    /// It reads and changes nothing
    ReadOnly,
    /// Everything that its owner may do
    Full,
}

/// Where a key is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// The keyring of the system
    Keyring,
    /// A file of mode 0600 in your data directory
    File,
}

/// `keyless connection list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// A table for people, or JSON
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: ListFormat,
}

/// How connections are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// Columns
    Table,
    /// One document
    Json,
}

/// `keyless connection show`.
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The connection
    #[arg(value_name = "NAME")]
    pub(crate) name: OsString,
    /// A table for people, or JSON
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: ListFormat,
}

/// `keyless connection remove`.
#[derive(Args)]
pub(crate) struct RemoveArgs {
    /// The connection
    #[arg(value_name = "NAME")]
    pub(crate) name: OsString,
    /// First delete its key at OpenAI
    #[arg(long)]
    pub(crate) revoke: bool,
    /// The Admin API's key for --revoke [default: $OPENAI_ADMIN_KEY]
    #[arg(long, value_name = "FILE", requires = "revoke")]
    pub(crate) admin_key_file: Option<PathBuf>,
    /// Where the Admin API is for --revoke [default: the connection's base URL, if that is OpenAI's]
    #[arg(long, value_name = "URL", requires = "revoke")]
    pub(crate) admin_url: Option<String>,
    /// The project that the key belongs to for --revoke, where the connection names none
    #[arg(long, value_name = "PROJECT", requires = "revoke")]
    pub(crate) project: Option<String>,
}
