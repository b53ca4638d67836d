//! Whether the Secret, as it is, is as it should be.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use k8s_openapi::jiff::Timestamp;

use super::{FIELD_MANAGER, OWNED, Target, annotation};
use crate::election::Lead;
use crate::sync::Origin;
use crate::{Fault, Kind};

/// How the Secret stands, where it is one that we may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It holds a credential of this connection, which nobody else has touched and which is not due before this moment.
    Good(Timestamp),
    /// It is to be written: it is not there, or not as it should be, or due.
    Wanting,
}

impl Standing {
    /// # Errors
    /// `secret-foreign`, `secret-immutable` and `secret-type` for a Secret that is not to be written.
    pub(super) fn of(existing: Option<&Secret>, target: &Target, origin: &Origin) -> Result<Self, Fault> {
        let Some(secret) = existing else { return Ok(Self::Wanting) };
        writable(secret, target)?;
        let annotations = secret.metadata.annotations.as_ref();
        let said = |name: &str| annotations.and_then(|all| all.get(name)).map(String::as_str);
        let ours = said(annotation::CONNECTION) == Some(&origin.connection)
            && said(annotation::SETTINGS) == Some(&origin.settings)
            && has_labels(secret, target)
            && holds_what_we_wrote(secret, target);
        let due = said(annotation::RENEW_AT).and_then(|text| text.parse::<Timestamp>().ok());
        Ok(match due {
            Some(due) if ours && Timestamp::now() < due => Self::Good(due),
            _ => Self::Wanting,
        })
    }
}

/// Whether a later leader has written it: then we have not noticed yet that we do not lead any more.
pub(super) fn is_by_a_later_leader(secret: &Secret, lead: &Lead) -> bool {
    let annotations = secret.metadata.annotations.as_ref();
    let Some((lease, term)) =
        annotations.and_then(|all| all.get(annotation::TERM)).and_then(|term| term.split_once('/'))
    else {
        return false;
    };
    // A Lease that was made anew counts from nothing.
    lease == lead.lease && term.parse::<u32>().is_ok_and(|term| term > lead.term)
}

/// Whether applying `wanted` would change nothing.
pub(super) fn is_as(existing: &Secret, wanted: &Secret) -> bool {
    let within = |all: Option<&BTreeMap<String, String>>, some: Option<&BTreeMap<String, String>>| {
        some.into_iter().flatten().all(|(name, value)| all.and_then(|all| all.get(name)) == Some(value))
    };
    let (old, new) = (&existing.metadata, &wanted.metadata);
    let data = existing.data.as_ref();
    within(old.labels.as_ref(), new.labels.as_ref())
        && within(old.annotations.as_ref(), new.annotations.as_ref())
        && wanted.data.iter().flatten().all(|(key, value)| data.and_then(|data| data.get(key)) == Some(value))
}

fn writable(secret: &Secret, target: &Target) -> Result<(), Fault> {
    let name = &target.secret;
    if let Some(kind) = secret.type_.as_deref().filter(|kind| !kind.is_empty() && *kind != "Opaque") {
        return Err(Fault::new(
            Kind::Conflict,
            "secret-type",
            format!("the Secret {name} is of the type {kind}, and a type cannot be changed"),
            "choose another name for --secret, or delete that Secret",
        ));
    }
    if secret.immutable == Some(true) {
        return Err(Fault::new(
            Kind::Conflict,
            "secret-immutable",
            format!("the Secret {name} is immutable: it can be deleted, but not filled"),
            "choose another name for --secret, or delete that Secret; it is then made anew",
        ));
    }
    let labels = secret.metadata.labels.as_ref();
    let owned = labels.and_then(|labels| labels.get(OWNED.0)).is_some_and(|owner| owner == OWNED.1);
    // Once adopted, it has our annotations: whoever takes the label away does not make it foreign.
    let known =
        secret.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(annotation::CONNECTION));
    if owned || known || target.adopt {
        return Ok(());
    }
    Err(Fault::new(
        Kind::Conflict,
        "secret-foreign",
        format!(
            "there is a Secret {name} already, and keyless has not made it (no label {}: {})",
            OWNED.0, OWNED.1
        ),
        "choose another name for --secret, or take that one over with --adopt",
    ))
}

fn has_labels(secret: &Secret, target: &Target) -> bool {
    let labels = secret.metadata.labels.as_ref();
    let has = |name: &str, value: &str| labels.and_then(|all| all.get(name)).is_some_and(|is| is == value);
    has(OWNED.0, OWNED.1) && target.labels.iter().all(|(name, value)| has(name, value))
}

/// Without knowing the values: a field that somebody else changes is not ours any more, and the API server keeps book of that.
fn holds_what_we_wrote(secret: &Secret, target: &Target) -> bool {
    let data = secret.data.as_ref();
    let fields = secret.metadata.managed_fields.as_ref();
    let entry = fields.and_then(|fields| fields.iter().find(|entry| is_ours(entry)));
    let held = entry.and_then(|entry| entry.fields_v1.as_ref()).and_then(|fields| fields.0.get("f:data"));
    target.keys.iter().all(|key| {
        data.is_some_and(|data| data.contains_key(key))
            && held.is_some_and(|held| held.get(format!("f:{key}")).is_some())
    })
}

fn is_ours(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_deref() == Some(FIELD_MANAGER) && entry.operation.as_deref() == Some("Apply")
}
