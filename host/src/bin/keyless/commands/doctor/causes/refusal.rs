//! Why a token endpoint that can be reached gave no credential.

use keyless::Plan;

use crate::commands::doctor::code::Code;
use crate::commands::doctor::identity_token::IdentityToken;
use crate::commands::doctor::platform::{Platform, setting};
use crate::commands::doctor::report::Diagnosis;
use crate::commands::doctor::skew::{self, LIMIT};
use crate::commands::doctor::watch::{Answer, Sighting};

/// A code of OpenAI's that may come with status 404, which else means that there is no token endpoint.
const UNKNOWN_PROVIDER: &str = "identity_provider_mapping_not_found";

/// What is known about an exchange that failed.
pub(in crate::commands::doctor) struct Evidence<'a> {
    pub(in crate::commands::doctor) plan: &'a Plan,
    /// The request to the token endpoint.
    pub(in crate::commands::doctor) sent: Option<&'a Sighting>,
    /// What was sent, or would have been.
    pub(in crate::commands::doctor) token: Option<&'a IdentityToken>,
}

/// Sees further than `met`, the component's error.
pub(in crate::commands::doctor) fn diagnose(met: Diagnosis, evidence: &Evidence<'_>) -> Diagnosis {
    let Some(answer) = evidence.sent.and_then(Sighting::answer) else { return no_answer(met) };
    match (answer.status, answer.said.as_deref()) {
        (429, _) => met.because(
            Code::EndpointThrottled,
            "too many exchanges in a short time: many replicas that start at once, or a program that does not keep its token",
            "wait as long as was asked; share one connection per process instead of one per request",
        ),
        (300..=399, _) => redirect(met, answer),
        (_, _) if answer.html => met.because(
            Code::EndpointHtml,
            "a web page came back: a proxy, a gateway's login or a captive portal stands between",
            "check `token_endpoint`, and let this host reach it directly",
        ),
        (500..=599 | 408 | 425, _) => met.because(
            Code::EndpointFailed,
            "the token endpoint is out of order for the moment",
            "wait and try again; if it lasts, look at the vendor's status page, and give its support the request id",
        ),
        (404 | 405 | 410, code) if code != Some(UNKNOWN_PROVIDER) => met.because(
            Code::EndpointNotFound,
            "there is no token endpoint at this URL",
            "correct `token_endpoint`: the path is part of it",
        ),
        (407, _) => met.because(
            Code::ProxyAuthentication,
            "a proxy between wants a login",
            "let this host reach the endpoint directly",
        ),
        (400 | 401 | 403 | 404, Some(code)) => refused(met, code, answer, evidence),
        (200, _) => granted_badly(met),
        _ => met,
    }
}

fn no_answer(met: Diagnosis) -> Diagnosis {
    match met.error.as_deref().unwrap_or_default() {
        "endpoint-timeout" | "attempt-timeout" | "connection-deadline" => met.because(
            Code::EndpointSilent,
            "the endpoint can be reached but does not answer in time: it is overloaded, or something between swallows the \
             request",
            "try again; if it lasts, look at proxies between and at the vendor's status page",
        ),
        "endpoint-unreachable" => met.because(
            Code::EndpointBroken,
            "the connection is cut before the answer is complete",
            "try again, and look at proxies and firewalls between",
        ),
        "response-too-large" => met.because(
            Code::EndpointNotATokenEndpoint,
            "no token endpoint answers with more than 64 KiB",
            "correct `token_endpoint`",
        ),
        _ => met,
    }
}

fn redirect(met: Diagnosis, answer: &Answer) -> Diagnosis {
    let to = answer.location.as_deref().map_or(String::new(), |to| format!(" to {to}"));
    met.because(
        Code::EndpointRedirect,
        format!("the URL has moved, or a proxy sends to its login page: the answer points{to}"),
        "set `token_endpoint` to the final URL if you trust it; the identity token is never sent after a redirect",
    )
}

/// Status 200, and yet no credential.
fn granted_badly(met: Diagnosis) -> Diagnosis {
    let (code, cause) = match met.error.as_deref().unwrap_or_default() {
        "response-token" => (Code::AnswerWithoutToken, "the answer holds no access token that can be used"),
        "response-lifetime" => {
            (Code::AnswerLifetime, "`expires_in` of the answer is no number of seconds, or less than two")
        }
        "response-malformed" => (Code::AnswerMalformed, "the answer is cut off, empty or no JSON object"),
        _ => return met,
    };
    met.because(
        code,
        format!("{cause}: the URL is not a token endpoint's, or a gateway changes the answer"),
        "check `token_endpoint` and what stands between; give the endpoint's operator the request id",
    )
}

/// An OAuth refusal. What the identity token says is compared with what the other side can have expected.
fn refused(met: Diagnosis, code: &str, answer: &Answer, evidence: &Evidence<'_>) -> Diagnosis {
    if let Some(token) = evidence.token
        && let Some(cause) = by_their_clock(token, answer)
    {
        return met.because(
            Code::ClockSkew,
            cause,
            "set the clocks right (NTP) on this machine and on the machine that issues the token",
        );
    }
    let plan = evidence.plan;
    let platform = Platform::of(plan);
    let other =
        evidence.token.and_then(|token| token.audience.iter().find_map(|audience| control_plane(audience)));
    if let (Some(other), "invalid_grant" | "invalid_subject_token") = (other, code) {
        let cause = format!("the token is meant for {other}, whose audience no entry at the API should have");
        return met.because(Code::AudienceControlPlane, cause, platform.set_audience());
    }
    let entry = entry(plan);
    let claims = evidence.token.map_or_else(|| "of the identity token".to_owned(), claims);
    match code {
        "invalid_grant" => met.because(
            Code::MappingMissing,
            format!("the token is genuine, but {entry} does not lead from its subject to what is asked for"),
            format!("let exactly one enabled entry at the API lead from {claims} to {}", wanted(plan)),
        ),
        "invalid_subject_token" => met.because(
            Code::IdentityNotAccepted,
            format!("issuer, audience or signing keys in {entry} do not fit the token, or its keys were rotated lately"),
            format!(
                "compare the entry with {claims}; if the audience is wrong: {}",
                platform.set_audience()
            ),
        ),
        "invalid_client" | "unauthorized_client" | UNKNOWN_PROVIDER => met.because(
            Code::ProviderUnknown,
            format!("{entry} does not exist, is disabled, or is somebody else's"),
            "copy the identifiers from the API's settings anew",
        ),
        "invalid_request" | "unsupported_grant_type" | "invalid_scope" | "invalid_target" => met.because(
            Code::RequestNotAccepted,
            format!("the endpoint knows {entry} not at all, or not with these settings"),
            "compare `keyless plan` with the API's settings: identifiers, `token_type`, `scope`, `audience`",
        ),
        "access_denied" => met.because(
            Code::AccessDenied,
            "a rule of the API forbids this identity",
            format!("ask the API's administrator to admit {claims}"),
        ),
        _ => met,
    }
}

/// Whose control plane an audience is, if it is one. The component warns of such tokens when they are accepted.
fn control_plane(audience: &str) -> Option<&'static str> {
    let host = audience.split_once("://").map_or(audience, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or(host);
    Some(match host {
        "sts.amazonaws.com" => "AWS STS",
        "AzureADTokenExchange" => "Microsoft Entra ID",
        "management.azure.com" | "management.core.windows.net" => "Azure Resource Manager",
        "container.googleapis.com" => "the Kubernetes API server",
        _ if host.starts_with("kubernetes.default") => "the Kubernetes API server",
        _ => return None,
    })
}

/// Whether the token is out of its time for those who read it.
fn by_their_clock(token: &IdentityToken, answer: &Answer) -> Option<String> {
    let ahead = answer.ahead.filter(|ahead| ahead.abs() > LIMIT)?;
    let theirs = skew::their_time(ahead);
    if token.seconds_left(theirs).is_some_and(|left| left <= 0) {
        return Some(format!(
            "by the endpoint's clock, which is {} this machine's, the identity token has expired",
            skew::apart(ahead)
        ));
    }
    token.begins_in(theirs).map(|_| {
        format!(
            "by the endpoint's clock, which is {} this machine's, the identity token is not valid yet",
            skew::apart(ahead)
        )
    })
}

/// What the API's administrator calls the thing that admits identities.
fn entry(plan: &Plan) -> String {
    let named = |what: &str, name: &str| match setting(plan, name) {
        Some(id) => format!("the {what} `{id}`"),
        None => format!("the {what}"),
    };
    match setting(plan, "exchange.type").unwrap_or_default() {
        "openai" => named("identity provider", "exchange.identity_provider_id"),
        "codex" | "anthropic" => named("federation rule", "exchange.federation_rule_id"),
        "openrouter" => named("federation policy", "exchange.federation_policy_id"),
        _ => "the entry for this issuer".to_owned(),
    }
}

fn wanted(plan: &Plan) -> String {
    let account =
        setting(plan, "exchange.service_account_id").or_else(|| setting(plan, "exchange.client_id"));
    account.map_or_else(|| "this connection".to_owned(), |account| format!("`{account}`"))
}

fn claims(token: &IdentityToken) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "(none)".to_owned());
    format!(
        "issuer `{}`, audience `{}`, subject `{}`",
        or_none(&token.issuer),
        token.audience.join("`, `"),
        or_none(&token.subject)
    )
}
