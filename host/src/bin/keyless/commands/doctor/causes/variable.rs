//! A variable that a document counts on and that is not set.

use crate::commands::doctor::code::Code;
use crate::commands::doctor::report::Diagnosis;

/// If `met` is about one of these unset variables, which one, and how the platform sets it.
pub(in crate::commands::doctor) fn diagnose(met: Diagnosis, unset: &[String]) -> Diagnosis {
    let about = |name: &&String| met.what.contains(&format!("`{name}`"));
    let Some(name) = unset.iter().find(about).filter(|_| met.error.as_deref() == Some("field-missing"))
    else {
        return met;
    };
    let cause = format!("the variable `{name}` is not set in this process");
    let next = match platform_of(name) {
        Some(next) => next.to_owned(),
        None => format!("set `{name}`; if it is set outside, hand it on into the container or the service"),
    };
    met.because(Code::VariableMissing, cause, next)
}

fn platform_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "ACTIONS_ID_TOKEN_REQUEST_URL" | "ACTIONS_ID_TOKEN_REQUEST_TOKEN" => {
            "give the job `permissions: id-token: write`; where it runs in a container, hand both ACTIONS_ID_TOKEN_REQUEST_ \
             variables on; forks' pull requests do not get them"
        }
        "AZURE_FEDERATED_TOKEN_FILE" => {
            "label the pod `azure.workload.identity/use: \"true\"`, annotate its service account with \
             `azure.workload.identity/client-id`, and start the pod anew"
        }
        "AWS_WEB_IDENTITY_TOKEN_FILE" | "AWS_ROLE_ARN" => {
            "annotate the service account with `eks.amazonaws.com/role-arn`, and start the pod anew"
        }
        "CIRCLE_OIDC_TOKEN" | "CIRCLE_OIDC_TOKEN_V2" => {
            "let the job use at least one context: CircleCI sets the variable for such jobs only"
        }
        "AWS_REGION" | "AWS_DEFAULT_REGION" => "set `AWS_REGION`, or `region` of the source",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::problem::Problem;

    #[test]
    fn only_a_missing_variable_is_one() {
        let met = |code, what: &str| Diagnosis::of(&Problem::invalid(code, what, "next"));
        let unset = ["CI_TOKEN".to_owned(), "ACTIONS_ID_TOKEN_REQUEST_URL".to_owned()];
        let told = diagnose(met("field-missing", "`ACTIONS_ID_TOKEN_REQUEST_URL` is not set"), &unset);
        assert_eq!((&*told.code, told.error.as_deref()), ("variable-missing", Some("field-missing")));
        assert!(told.next.contains("id-token: write"), "{told:?}");
        assert!(diagnose(met("field-missing", "`CI_TOKEN` is not set"), &unset).next.contains("CI_TOKEN"));
        assert_eq!(
            diagnose(met("field-missing", "`source.variable` is missing"), &unset).code,
            "field-missing"
        );
        assert_eq!(diagnose(met("field-url", "`CI_TOKEN` is no URL"), &unset).code, "field-url");
    }
}
