//! An identity token that is meant for a control plane is a cloud credential in the wrong hands: whoever receives it
//! can act as the workload there. The official clients' defaults send such tokens, so this warns instead of refusing.

use crate::plan::Warning;
use crate::subject_token::Claims;

/// The warning that such a token deserves.
pub(crate) fn control_plane(claims: &Claims) -> Option<Warning> {
    let (audience, plane) = claims.audience.iter().find_map(|audience| Some((audience, plane(audience)?)))?;
    Some(Warning::new(
        "token-for-a-control-plane",
        format!(
            "the identity token has the audience `{audience}`: {plane} accepts it, and so can whoever receives it from here. Give the token an audience of its own, that of the identity provider's entry at the API"
        ),
    ))
}

/// Whose control plane an audience is, if it is one.
pub(crate) fn plane(audience: &str) -> Option<&'static str> {
    let host = audience.split_once("://").map_or(audience, |(_, rest)| rest);
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
