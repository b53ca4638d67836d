//! For whom an identity token is meant.
//!
//! One that is meant for a control plane is a cloud credential in the wrong hands: whoever receives it can act as the
//! workload there. The official clients' defaults send such tokens, so this warns, and refuses only where the host asks
//! for strictness.

use alloc::string::String;

use crate::error::{Code, Error};
use crate::fields::Fields;
use crate::plan::{Plan, Warning};
use crate::split;
use crate::subject_token::Claims;

/// What a source asks its platform for: what the document says, else what the exchange's API expects.
pub(crate) struct Audience {
    set: Option<String>,
    expected: &'static str,
}

impl Audience {
    /// `expected` is None where the exchange is with nobody in particular: then the document has to say.
    pub(crate) fn read(fields: &mut Fields<'_>, expected: Option<&'static str>) -> Result<Self, Error> {
        let set = fields.filled_text("audience")?;
        if set.is_none() && expected.is_none() {
            let fault = "is missing; with this exchange there is no usual one, so name whom the identity token is for, as the token endpoint expects it";
            return Err(fields.fault(Code::FieldMissing, "audience", fault));
        }
        Ok(Self { set, expected: expected.unwrap_or_default() })
    }

    pub(crate) fn as_str(&self) -> &str {
        self.set.as_deref().unwrap_or(self.expected)
    }

    pub(crate) fn describe(&self, plan: &mut Plan) {
        plan.set_or("source.audience", self.set.as_deref(), self.expected);
    }
}

/// The code of that warning, the only one that an attempt leads to.
pub(crate) const CONTROL_PLANE: &str = "token-for-a-control-plane";

/// The warning that a token for a control plane deserves. `remedy`: how the source gives it another audience.
pub(crate) fn control_plane(claims: &Claims, remedy: &str) -> Option<Warning> {
    let (audience, plane) = claims.audience.iter().find_map(|audience| Some((audience, plane(audience)?)))?;
    Some(Warning::new(
        CONTROL_PLANE,
        format_args!(
            "the identity token has the audience `{audience}`: {plane} accepts it, and so can whoever receives it from here. {remedy}"
        ),
    ))
}

/// Whose control plane an audience is, if it is one.
pub(crate) fn plane(audience: &str) -> Option<&'static str> {
    let host = split::once(audience, "://").map_or(audience, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or(host);
    match host {
        "kubernetes.default.svc" | "kubernetes.default" | "kubernetes" | "container.googleapis.com" => {
            Some("the Kubernetes API server")
        }
        _ if host.starts_with("kubernetes.default.svc.") => Some("the Kubernetes API server"),
        "management.azure.com" | "management.core.windows.net" => Some("Azure Resource Manager"),
        "sts.amazonaws.com" => Some("AWS STS"),
        "AzureADTokenExchange" => Some("Microsoft Entra ID"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::plane;

    #[test]
    fn control_planes_are_known_by_their_audience() {
        for audience in [
            "https://kubernetes.default.svc",
            "https://kubernetes.default.svc.cluster.local",
            "kubernetes.default.svc:443",
            "https://container.googleapis.com/v1/projects/p/locations/l/clusters/c",
            "https://management.azure.com/",
            "sts.amazonaws.com",
            "api://AzureADTokenExchange",
        ] {
            assert!(plane(audience).is_some(), "{audience}");
        }
        for audience in [
            "https://api.openai.com/v1",
            "https://kubernetes.default.example",
            "",
            "api://11111111-2222-3333-4444-555555555555",
        ] {
            assert!(plane(audience).is_none(), "{audience}");
        }
    }
}
