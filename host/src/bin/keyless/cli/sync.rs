//! `keyless sync`: its words.

use clap::Args;

/// `keyless sync`. The same in every build.
#[derive(Args)]
pub(crate) struct SyncArgs {
    /// The Secret, in the pod's own namespace unless it says which
    #[arg(long, value_name = "[NAMESPACE/]NAME")]
    pub(crate) secret: String,
    /// A key of the Secret, and what it holds (repeatable)
    #[arg(long, value_name = "KEY[=FIELD]", default_value = "api_key")]
    pub(crate) key: Vec<String>,
    /// The Lease by which one of several is elected [default: that of the Secret's name]
    #[arg(long, value_name = "[NAMESPACE/]NAME")]
    pub(crate) lease: Option<String>,
    /// After so many seconds without a sign of the one that leads, another takes over
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u16).range(3..=3600))]
    pub(crate) lease_duration: u16,
    /// Set a label on the Secret (repeatable)
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) label: Vec<String>,
    /// Take fields of the Secret over that others hold, and set them again whenever somebody changes them
    #[arg(long)]
    pub(crate) force: bool,
    /// Take a Secret over that keyless has not made
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Read the Secret that a manifest of External Secrets' generator refers to from the cluster, if it is not mounted
    #[arg(long)]
    pub(crate) kube_secrets: bool,
    /// At the end take back what the connection made, although the Secret may still be in use
    #[arg(long)]
    pub(crate) close_on_exit: bool,
}
