//! Keys that a connection makes itself, and what becomes of them at its end.

use keyless_sandbox::{Fault as Switch, OpenAiAdminCall, Options, Sandbox};
use serde_json::json;

use crate::commands::conformance::report::Fault;
use crate::commands::conformance::stage::{Open, Stage, Stop};

pub(super) async fn close(stage: &mut Stage) -> Result<(), Stop> {
    const PREFIX: &str = "close-deletes";
    let open = minting(&stage.world.sandbox, PREFIX);
    first_key(stage, "a", &open).await?;
    let own = alive(&stage.world.sandbox, PREFIX);
    // Of the same prefix: names alone do not tell whose an account is.
    first_key(stage, "b", &open).await?;
    let all = alive(&stage.world.sandbox, PREFIX);
    let ([own], [_, _]) = (&*own, &*all) else {
        let came = format!("{} and then {} of them", own.len(), all.len());
        return Err(Fault::new("one service account for each connection", came).into());
    };
    stage.ask("close", &json!({"name": "a"})).await?.ok()?;
    let left = alive(&stage.world.sandbox, PREFIX);
    if left.contains(own) {
        let expected = "the connection's service account is deleted before `close` is answered";
        return Err(Fault::new(expected, "it is still there").into());
    }
    if left.is_empty() {
        return Err(Fault::new("another connection's service account stays", "it is deleted, too").into());
    }
    Ok(())
}

pub(super) async fn tells(stage: &mut Stage) -> Result<(), Stop> {
    // One of its own: its faults meet no other check.
    let sandbox = Sandbox::start(Options::default()).await;
    let sandbox = sandbox.map_err(|reason| Fault::new("a sandbox on loopback", reason.to_string()))?;
    first_key(stage, "a", &minting(&sandbox, "close-tells")).await?;
    let failing = Switch::Status { status: 500, retry_after: None };
    sandbox.fault_on_until_cleared(OpenAiAdminCall::DeleteServiceAccount, failing);
    let answer = stage.ask("close", &json!({"name": "a"})).await?;
    Ok(answer.failed("unavailable", "accounts-left")?)
}

pub(super) async fn dropped(stage: &mut Stage) -> Result<(), Stop> {
    const PREFIX: &str = "drop-deletes-nothing";
    let open = minting(&stage.world.sandbox, PREFIX);
    first_key(stage, "a", &open).await?;
    stage.tested()?.end().await?;
    match alive(&stage.world.sandbox, PREFIX).len() {
        1 => Ok(()),
        _ => {
            let expected = "the service account stays: it is in nobody's way, and lapses";
            Err(Fault::new(expected, "it is deleted, although nothing was closed").into())
        }
    }
}

/// A connection that makes its own keys by the sandbox's Admin API.
fn minting(sandbox: &Sandbox, prefix: &str) -> Open {
    let document = json!({
        "exchange": {
            "type": "openai-service-account",
            "admin_key": {"file": sandbox.openai_admin_key_path()},
            "project_id": sandbox.openai_project_id(),
            "service_account_name_prefix": prefix,
            "host": sandbox.base_url(),
        },
    });
    let (document, variables) = (document.to_string(), Vec::new());
    let open = Open { document, variables, grant: None, ca_file: None };
    open.trusting(sandbox.ca_path().to_string_lossy())
}

async fn first_key(stage: &mut Stage, name: &str, open: &Open) -> Result<(), Stop> {
    stage.credential_of(name, open).await?.generation(1).map(|_| ()).map_err(Stop::Fault)
}

/// The ids of the service accounts with this prefix that have not been deleted.
fn alive(sandbox: &Sandbox, prefix: &str) -> Vec<String> {
    let accounts = sandbox.service_accounts().accounts.into_iter();
    let alive =
        accounts.filter(|account| account.name.starts_with(prefix) && account.deleted_at_ms.is_none());
    alive.map(|account| account.id).collect()
}
