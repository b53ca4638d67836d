//! The sixth step: the API takes the credential for one call that reads a list and changes nothing.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderValue, Request, Uri};
use keyless::sender::{Body, Fault, Patience, Sender as _};
use keyless::{CredentialRef, Plan};

use super::{Attempt, token_endpoint};
use crate::cli::DoctorArgs;
use crate::commands::doctor::causes::{api, obstacle};
use crate::commands::doctor::code::Code;
use crate::commands::doctor::platform::setting;
use crate::commands::doctor::report::{Diagnosis, Step, StepName};
use crate::commands::doctor::watch::{Answer, Watch};
use crate::output::problem::Class;

/// As long as the component waits for a token endpoint.
const PATIENCE: Patience = Patience { connect: Duration::from_secs(5), total: Duration::from_secs(10) };

/// The step, and the answer if there was one.
pub(in crate::commands::doctor) async fn examine(
    plan: &Plan,
    attempt: &Attempt,
    watch: &Watch,
    args: &DoctorArgs,
) -> (Step, Option<Answer>) {
    let Ok(credential) = &attempt.outcome else {
        return (Step::not_reached(StepName::Api, "there is no credential to call it with"), None);
    };
    if args.no_call {
        return (Step::skipped(StepName::Api, "not called: --no-call"), None);
    }
    if plan.requirements.client_certificate.is_some() {
        let why =
            "not called: this API asks for the client certificate, too, which the doctor does not present";
        return (Step::skipped(StepName::Api, why), None);
    }
    let Some(path) = harmless(plan) else {
        return (Step::skipped(StepName::Api, "not called: no harmless call of this API is known"), None);
    };
    let base = credential.base_url().trim_end_matches('/');
    let shown = format!("{base}{path}");
    let Some(request) = request(&shown, credential, plan) else {
        return (Step::skipped(StepName::Api, format!("not called: {base} is no URL to send to")), None);
    };
    let url = request.uri().clone();
    let before = watch.sightings().len();
    let sent = watch.send(request, PATIENCE).await;
    let seen = watch.sightings().into_iter().nth(before);
    let answer = seen.as_ref().and_then(|seen| seen.answer()).cloned();
    let step = match (&answer, sent.map(drop)) {
        (Some(answer), _) => match api::diagnose(answer, &shown, token_endpoint(plan).is_some()) {
            Some(diagnosis) => Step::failed(StepName::Api, diagnosis),
            None => {
                Step::ok(StepName::Api, format!("GET {shown} was answered with status {}", answer.status))
            }
        },
        (None, Err(fault)) => no_answer(fault, &url, &shown, watch).await,
        (None, Ok(())) => Step::ok(StepName::Api, format!("GET {shown} was answered")),
    };
    let milliseconds = seen.map(|seen| u64::try_from(seen.took.as_millis()).unwrap_or(u64::MAX));
    let step = step
        .wait(answer.as_ref().and_then(|answer| answer.retry_after))
        .detail("url", shown)
        .detail("status", answer.as_ref().map(|answer| answer.status))
        .detail("error", answer.as_ref().and_then(|answer| answer.said.clone()))
        .detail("request_id", answer.as_ref().and_then(|answer| answer.request_id.clone()))
        .detail("redirect_to", answer.as_ref().and_then(|answer| answer.location.clone()))
        .detail("milliseconds", milliseconds);
    (step, answer)
}

/// A call that lists something and that the API refuses without a credential.
fn harmless(plan: &Plan) -> Option<&'static str> {
    match (setting(plan, "exchange.type"), setting(plan, "api.type")) {
        // Its models are public; this one is about the credential itself.
        (Some("openrouter"), _) => Some("/key"),
        // Nothing is documented that would do.
        (Some("codex"), _) => None,
        (_, Some("anthropic")) => Some("/v1/models"),
        (_, Some("openai") | None) => Some("/models"),
        (_, Some(_)) => None,
    }
}

fn request(url: &str, credential: &CredentialRef, plan: &Plan) -> Option<Request<Body>> {
    let mut request = Request::get(url.parse::<Uri>().ok()?).body(Body::default()).ok()?;
    request.uri().host()?;
    credential.apply(request.headers_mut());
    if setting(plan, "api.type") == Some("anthropic") {
        // platform.claude.com, "API versions": required, and the only one there is.
        request.headers_mut().entry("anthropic-version").or_insert(HeaderValue::from_static("2023-06-01"));
    }
    Some(request)
}

async fn no_answer(fault: Fault, url: &Uri, shown: &str, watch: &Watch) -> Step {
    match fault {
        Fault::TooLarge => Step::ok(StepName::Api, format!("GET {shown} was answered with more than 64 KiB"))
            .doubt(
                Code::ApiAnswerTooLarge,
                "the list is longer than the doctor reads, so that its status was not looked at",
                "none, if the API works",
            ),
        // What a request cannot tell: which certificate fault it was, for one.
        _ => match watch.network().reach(url).await {
            Err(met) => Step::failed(StepName::Api, obstacle::diagnose(met, shown)),
            Ok(_) => Step::failed(
                StepName::Api,
                Diagnosis {
                    code: Cow::Borrowed(Code::ApiSilent.as_str()),
                    what: format!("GET {shown} got no answer: {fault}"),
                    cause: "the API is overloaded, or something between swallows the request".to_owned(),
                    next: "try again; if it lasts, look at proxies between and at the vendor's status page"
                        .to_owned(),
                    class: Class::Unavailable,
                    error: None,
                },
            ),
        },
    }
}
