//! Token endpoints that can be reached and give no credential.

use std::time::Duration;

use keyless_sandbox::{Fault as Bad, ServiceName};
use serde_json::json;

use super::{Fault, diagnosed};

const ENDPOINT: ServiceName = ServiceName::Exchange;

#[test]
fn who_is_refused() {
    diagnosed(&[
        Fault {
            name: "a service account that no mapping leads to",
            induce: |stage| stage.with("svc_acct_sandbox", "svc_acct_other"),
            step: "exchange",
            code: "mapping-missing",
            exit: 5,
            phrase: "`svc_acct_other`",
        },
        Fault {
            name: "a provider that does not exist",
            induce: |stage| stage.with("idp_sandbox", "idp_other"),
            step: "exchange",
            code: "request-not-accepted",
            exit: 5,
            phrase: "`idp_other`",
        },
        Fault {
            name: "a provider that is disabled",
            induce: |stage| stage.answers(ENDPOINT, 401, r#"{"error":"invalid_client"}"#).ready_made(),
            step: "exchange",
            code: "provider-unknown",
            exit: 5,
            phrase: "`idp_sandbox`",
        },
        Fault {
            name: "a rule that forbids it, in the nested form",
            induce: |stage| {
                stage
                    .answers(ENDPOINT, 403, r#"{"error":{"code":"access_denied","message":"sk-canary"}}"#)
                    .ready_made()
            },
            step: "exchange",
            code: "access-denied",
            exit: 5,
            phrase: "system:serviceaccount:default:app",
        },
        Fault {
            name: "a token for somebody else",
            induce: |stage| {
                let mut claims = stage.sandbox.claims();
                claims.audience = vec!["https://other.example".to_owned()];
                stage.sandbox.write_token(&claims).unwrap();
                stage.ready_made()
            },
            step: "exchange",
            code: "identity-not-accepted",
            exit: 5,
            phrase: "audience `https://other.example`",
        },
        Fault {
            name: "a token for the Kubernetes API server",
            induce: |stage| {
                let mut claims = stage.sandbox.claims();
                claims.audience = vec!["https://kubernetes.default.svc.cluster.local".to_owned()];
                stage.sandbox.write_token(&claims).unwrap();
                stage.ready_made()
            },
            step: "exchange",
            code: "audience-control-plane",
            exit: 5,
            phrase: "the Kubernetes API server",
        },
        Fault {
            name: "keys that were rotated without the token",
            induce: |stage| {
                stage.sandbox.rotate_keys(false).unwrap();
                stage.ready_made()
            },
            step: "exchange",
            code: "identity-not-accepted",
            exit: 5,
            phrase: "its keys were rotated lately",
        },
        Fault {
            name: "an endpoint that lives two hours later",
            induce: |stage| {
                stage.sandbox.advance_clock(Duration::from_secs(7_230));
                stage.ready_made()
            },
            step: "exchange",
            code: "clock-skew",
            exit: 4,
            phrase: "2 h ahead of this machine's, the identity token has expired",
        },
        Fault {
            name: "a federation rule of another vendor",
            induce: |stage| {
                stage
                    .answers(ServiceName::Anthropic, 400, r#"{"error":"invalid_grant"}"#)
                    .recipe("kubernetes-anthropic")
            },
            step: "exchange",
            code: "mapping-missing",
            exit: 5,
            phrase: "the federation rule `",
        },
    ]);
}

#[test]
fn where_there_is_no_token_endpoint() {
    diagnosed(&[
        Fault {
            name: "a path that does not exist",
            induce: |stage| stage.with("/oauth/token", "/oauth2/token"),
            step: "exchange",
            code: "endpoint-not-found",
            exit: 6,
            phrase: "the path is part of it",
        },
        Fault {
            name: "a redirect",
            induce: |stage| {
                let location = "https://auth.example/v2/token?code=sk-canary".to_owned();
                stage.fault(ENDPOINT, Bad::Redirect { location, status: 308 }).ready_made()
            },
            step: "exchange",
            code: "endpoint-redirect",
            exit: 6,
            phrase: "points to https://auth.example/v2/token",
        },
        Fault {
            name: "a gateway's page",
            induce: |stage| stage.fault(ENDPOINT, Bad::Html).ready_made(),
            step: "exchange",
            code: "endpoint-html",
            exit: 6,
            phrase: "a web page came back",
        },
        Fault {
            name: "an answer without end",
            induce: |stage| stage.fault(ENDPOINT, Bad::EndlessBody).ready_made(),
            step: "exchange",
            code: "endpoint-not-a-token-endpoint",
            exit: 6,
            phrase: "64 KiB",
        },
    ]);
}

#[test]
fn an_endpoint_that_is_out_of_order() {
    diagnosed(&[
        Fault {
            name: "too many requests",
            induce: |stage| stage.busy(ENDPOINT, 429).ready_made(),
            step: "exchange",
            code: "endpoint-throttled",
            exit: 6,
            phrase: "replicas that start at once",
        },
        Fault {
            name: "a bad gateway",
            induce: |stage| stage.fault(ENDPOINT, Bad::status(502)).ready_made(),
            step: "exchange",
            code: "endpoint-failed",
            exit: 6,
            phrase: "status page",
        },
        Fault {
            name: "an issuer whose keys cannot be fetched",
            induce: |stage| stage.fault(ServiceName::Issuer, Bad::status(500)).ready_made(),
            step: "exchange",
            code: "endpoint-failed",
            exit: 6,
            phrase: "temporarily_unavailable",
        },
        Fault {
            name: "a connection that is cut",
            induce: |stage| stage.fault(ENDPOINT, Bad::CloseMidway).ready_made(),
            step: "exchange",
            code: "endpoint-broken",
            exit: 6,
            phrase: "proxies and firewalls",
        },
    ]);
}

#[test]
fn an_answer_that_is_no_good() {
    diagnosed(&[
        Fault {
            name: "JSON that stops in the middle",
            induce: |stage| stage.fault(ENDPOINT, Bad::MalformedJson).ready_made(),
            step: "exchange",
            code: "answer-malformed",
            exit: 6,
            phrase: "cut off",
        },
        Fault {
            name: "nothing",
            induce: |stage| stage.fault(ENDPOINT, Bad::EmptyBody).ready_made(),
            step: "exchange",
            code: "answer-malformed",
            exit: 6,
            phrase: "empty",
        },
        Fault {
            name: "no access token",
            induce: |stage| {
                stage.fault(ENDPOINT, Bad::DropField { name: "access_token".to_owned() }).ready_made()
            },
            step: "exchange",
            code: "answer-without-token",
            exit: 6,
            phrase: "no access token",
        },
        Fault {
            name: "a life that is over",
            induce: |stage| stage.fault(ENDPOINT, Bad::expires_in(json!(-1))).ready_made(),
            step: "exchange",
            code: "answer-lifetime",
            exit: 6,
            phrase: "expires_in",
        },
    ]);
}

/// Takes as long as the component waits: ten seconds, twice.
#[test]
fn an_endpoint_that_says_nothing() {
    diagnosed(&[Fault {
        name: "silence",
        induce: |stage| stage.fault(ENDPOINT, Bad::Stall).ready_made(),
        step: "exchange",
        code: "endpoint-silent",
        exit: 6,
        phrase: "does not answer in time",
    }]);
}
