//! `keyless sandbox`: the outside world on loopback, until somebody ends it.

use std::process::ExitCode;

use keyless_sandbox::{Options, Sandbox, ServiceName};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::SandboxArgs;
use crate::output;
use crate::output::problem::{Class, Problem};

pub(super) async fn run(args: &SandboxArgs) -> Result<ExitCode, Problem> {
    let failed = |reason: &dyn std::fmt::Display| {
        Problem::new(
            Class::Failed,
            "sandbox-failed",
            format!("the sandbox cannot be started: {reason}"),
            "leave the ports out to let any free one be chosen",
        )
    };
    // Before the start, so that an early signal cleans up as well.
    let mut terminate = signal(SignalKind::terminate()).map_err(|reason| failed(&reason))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|reason| failed(&reason))?;
    let sandbox = Sandbox::start(options(args)).await.map_err(|reason| failed(&reason))?;
    let text = if args.json { format!("{}\n", summary(&sandbox)) } else { sandbox.announce() };
    let written = output::write(&text);
    if written.is_ok() {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = sandbox.shutdown_requested() => {}
        }
    }
    sandbox.stop().await;
    written.map(|()| ExitCode::SUCCESS)
}

fn options(args: &SandboxArgs) -> Options {
    Options {
        ports: [
            (ServiceName::Issuer, args.port_issuer),
            (ServiceName::Exchange, args.port_exchange),
            (ServiceName::Upstream, args.port_upstream),
        ]
        .into(),
        admin_port: args.port_admin,
        ..Options::default()
    }
}

/// Where everything is, and what to paste: `announce` for machines.
fn summary(sandbox: &Sandbox) -> Value {
    json!({
        "issuer": sandbox.issuer_url(),
        "token_endpoint": sandbox.token_endpoint(),
        "base_url": sandbox.base_url(),
        "admin": sandbox.admin_url(),
        "ca_file": sandbox.ca_path(),
        "token_file": sandbox.token_path(),
        "openai_admin_key_file": sandbox.openai_admin_key_path(),
        "openai_project_id": sandbox.openai_project_id(),
        "documents": sandbox.documents(),
    })
}
