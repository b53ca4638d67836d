//! What an answer of the API server means.

use kube::core::Status;

use super::Request;
use crate::{Fault, Kind};

/// Why there is no answer, or what it says instead of yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 401. The token was read anew; the next request may do better.
    Unauthorized(Fault),
    /// 404.
    Missing(Fault),
    /// 409, because the object is not any more what we took it for; 410, because what we refer to is too long ago.
    Outdated(Fault),
    /// 409, because fields are held by another manager: its name, the fields.
    Held(Vec<Holder>),
    /// Anything else.
    Other(Fault),
}

/// A field that another manager holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// As the API server tells it: `conflict with "kubectl-edit" using v1`.
    pub(crate) says: String,
    /// Such as `.data.api_key`.
    pub(crate) field: String,
}

impl Refusal {
    pub(super) fn of(request: &Request<'_>, error: kube::Error) -> Self {
        let status = match error {
            kube::Error::Api(status) => status,
            other => return Self::Other(unreachable(request, &innermost(&other))),
        };
        match status.code {
            401 => Self::Unauthorized(unauthorized()),
            403 => Self::Other(forbidden(request, &status)),
            404 => Self::Missing(missing(request)),
            409 => {
                let holders = holders(&status);
                if holders.is_empty() { Self::Outdated(outdated(request)) } else { Self::Held(holders) }
            }
            410 => Self::Outdated(outdated(request)),
            408 | 429 | 500.. => Self::Other(unreachable(request, &said(&status))),
            _ => Self::Other(refused(request, &status)),
        }
    }

    pub(super) fn too_late(request: &Request<'_>) -> Self {
        Self::Other(unreachable(request, &format!("no answer within {} ms", request.within.as_millis())))
    }

    /// As it is told to people.
    pub(crate) fn into_fault(self) -> Fault {
        match self {
            Self::Unauthorized(fault) | Self::Missing(fault) | Self::Outdated(fault) | Self::Other(fault) => {
                fault
            }
            Self::Held(holders) => held(&holders),
        }
    }
}

fn unauthorized() -> Fault {
    Fault::unavailable(
        "kubernetes-unauthorized",
        "the API server does not accept the token of this process (401)",
        "look whether the service account still exists; its token is read anew from its file and tried again",
    )
}

fn forbidden(request: &Request<'_>, status: &Status) -> Fault {
    // Quotas and admission say 403 as well, and then a Role does not help.
    let next = match missing_verb(request, &status.message) {
        Some(verb) => format!(
            "add this rule to the Role of the service account in the namespace {}: {}",
            request.object.namespace,
            request.rule(verb)
        ),
        None => "ask the administrator of the cluster".to_owned(),
    };
    Fault::new(
        Kind::Denied,
        "kubernetes-forbidden",
        format!("the API server does not let us {request} (403): {}", said(status)),
        next,
    )
}

/// The verb of the right that is missing. `None`: it is not for want of a right.
///
/// Usually the message says it: `User "..." cannot patch resource "secrets" in API group ...`. Only that a patch of what is not
/// there is a create as well is refused without a reason (`withAuthorization` in apiserver's pkg/endpoints/handlers/rest.go).
fn missing_verb<'a>(request: &Request<'a>, message: &'a str) -> Option<&'a str> {
    if let Some((_, after)) = message.split_once(" cannot ") {
        let (verb, _) = after.split_once(" resource ")?;
        return verb.bytes().all(|byte| byte.is_ascii_lowercase()).then_some(verb);
    }
    (request.verb == "patch" && message.trim_end().ends_with("is forbidden:")).then_some("create")
}

fn missing(request: &Request<'_>) -> Fault {
    Fault::invalid(
        "kubernetes-missing",
        format!("the API server knows nothing by which to {request} (404)"),
        "look whether the namespace exists and the name is right",
    )
}

fn outdated(request: &Request<'_>) -> Fault {
    Fault::unavailable(
        "kubernetes-outdated",
        format!("what we knew was outdated when we were about to {request}"),
        "it is looked at anew and tried again",
    )
}

fn held(holders: &[Holder]) -> Fault {
    let fields: Vec<_> = holders.iter().map(|holder| format!("{} ({})", holder.field, holder.says)).collect();
    Fault::new(
        Kind::Conflict,
        "secret-conflict",
        format!("fields of the Secret are held by others: {}", fields.join(", ")),
        "have the other one leave these fields alone, choose another Secret, or take them over with --force",
    )
}

fn unreachable(request: &Request<'_>, reason: &str) -> Fault {
    Fault::unavailable(
        "kubernetes-unreachable",
        format!("the API server gives no answer to {request}: {reason}"),
        "it is tried again; look at the cluster's health, and at network policies",
    )
}

fn refused(request: &Request<'_>, status: &Status) -> Fault {
    Fault::invalid(
        "kubernetes-refused",
        format!("the API server does not {request} ({}): {}", status.code, said(status)),
        "change what it complains about",
    )
}

/// The API server's own words. It does not quote values of a Secret, but it is held to a length.
fn said(status: &Status) -> String {
    let text = if status.message.is_empty() { &status.reason } else { &status.message };
    text.chars().take(300).collect()
}

fn holders(status: &Status) -> Vec<Holder> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| Holder { says: cause.message.clone(), field: cause.field.clone() })
        .collect()
}

/// Wrappers repeat each other; the reason is at the end.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ObjectName;
    use crate::cluster::SECRETS;

    fn answer(code: u16, message: &str) -> Fault {
        let object = ObjectName { namespace: "apps".into(), name: "openai".into() };
        let within = Duration::from_secs(1);
        let request = Request { verb: "patch", resource: SECRETS, object: &object, within };
        let status = Status { code, message: message.into(), ..Status::default() };
        Refusal::of(&request, kube::Error::Api(Box::new(status))).into_fault()
    }

    #[test]
    fn what_is_forbidden_for_another_reason_needs_no_rule() {
        let quota = answer(403, "secrets \"openai\" is forbidden: exceeded quota: objects");
        assert_eq!((quota.kind, quota.code), (Kind::Denied, "kubernetes-forbidden"));
        assert!(!quota.next.contains("rule"), "{quota}");
        let right =
            answer(403, "secrets \"openai\" is forbidden: User \"x\" cannot create resource \"secrets\"");
        assert!(right.next.ends_with("resourceNames: [openai], verbs: [create]}"), "{right}");
    }

    #[test]
    fn what_may_pass_is_told_from_what_somebody_has_to_do() {
        for code in [401, 408, 409, 410, 429, 500, 503] {
            assert!(answer(code, "").passes(), "{code}");
        }
        for code in [400, 403, 404, 422] {
            assert!(!answer(code, "").passes(), "{code}");
        }
    }
}
