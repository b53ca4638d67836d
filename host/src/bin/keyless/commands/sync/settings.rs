//! What the command line says, as `keyless_kubernetes` wants it.

use std::collections::BTreeMap;

use keyless_kubernetes::{Identity, ObjectName, Origin, Settings, Target, Timing};
use sha2::{Digest as _, Sha256};

use super::field::{self, Field};
use crate::cli::SyncArgs;
use crate::output::problem::Problem;
use crate::session::Session;

/// What is kept where, and what each key holds.
pub(super) fn read(
    args: &SyncArgs,
    session: &Session,
    namespace: &str,
) -> Result<(Settings, BTreeMap<String, Field>), Problem> {
    let secret = ObjectName::parse(&args.secret, namespace, "--secret")?;
    let lease = match &args.lease {
        Some(lease) => ObjectName::parse(lease, namespace, "--lease")?,
        None => secret.clone(),
    };
    let keys = args.key.iter().map(|text| field::parse(text)).collect::<Result<BTreeMap<_, _>, _>>()?;
    let target = Target {
        secret,
        keys: keys.keys().cloned().collect(),
        labels: args.label.iter().map(|text| label(text)).collect::<Result<_, _>>()?,
        force: args.force,
        adopt: args.adopt,
    };
    target.check()?;
    let origin = Origin { connection: connection(session), settings: digest(session, &keys) };
    let timing = Timing::of_lease(args.lease_duration);
    let identity = Identity::of_this_process();
    Ok((Settings { target, lease, timing, identity, origin, close_on_exit: args.close_on_exit }, keys))
}

fn label(text: &str) -> Result<(String, String), Problem> {
    let (name, value) = text.split_once('=').unwrap_or_default();
    if name.is_empty() {
        return Err(Problem::invalid(
            "sync-label",
            format!("--label is not NAME=VALUE ({} characters)", text.chars().count()),
            "write a label as NAME=VALUE",
        ));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// What people call it: where its document is, which holds no secret.
fn connection(session: &Session) -> String {
    session.document.origin.chars().take(200).collect()
}

/// Of everything by which one credential differs from another but the secrets themselves, which a plan does not show.
fn digest(session: &Session, keys: &BTreeMap<String, Field>) -> String {
    let settings = session.plan.settings.iter().map(|setting| (&setting.name, &setting.value));
    let text = format!("{:?}{keys:?}", settings.collect::<Vec<_>>());
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
