//! `keyless sync`: a Kubernetes Secret that always holds a fresh credential.
//!
//! The cluster is `keyless_kubernetes`'; here is what the command line says, and how a connection is opened for it.

#[cfg(feature = "kubernetes")]
mod field;
#[cfg(feature = "kubernetes")]
mod mounted;
#[cfg(feature = "kubernetes")]
mod run;
#[cfg(feature = "kubernetes")]
mod settings;
#[cfg(feature = "kubernetes")]
mod supply;

#[cfg(feature = "kubernetes")]
pub(super) use run::run;

/// Says how to get what this build has not.
#[cfg(not(feature = "kubernetes"))]
#[expect(clippy::unused_async, reason = "in builds that have it, it is asynchronous")]
pub(super) async fn run(
    _cli: &crate::cli::Cli,
    _args: &crate::cli::SyncArgs,
) -> Result<std::process::ExitCode, crate::output::problem::Problem> {
    Err(crate::output::problem::Problem::invalid(
        "sync-not-built",
        "this build of keyless has no client for Kubernetes",
        "build it with `cargo build --release -p keyless --features kubernetes`",
    ))
}
