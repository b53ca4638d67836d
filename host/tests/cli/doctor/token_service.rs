//! Metadata servers, CI systems and AWS's token service: who does not answer, who refuses, and who is somebody else.

use std::time::Duration;

use keyless_sandbox::{Fault as Bad, ServiceName};

use super::{Fault, diagnosed, step};
use crate::doctor::stage::Stage;
use crate::harness::Keyless;

/// A platform whose link-local address leads to a closed port.
fn absent(stage: &Stage, recipe: &str, host: &str) -> Keyless {
    stage.recipe(recipe).env("KEYLESS_CONNECT_TO", format!("{host}:80:127.0.0.1:{}", stage.closed_port()))
}

/// AWS's token service refuses with this code.
fn sts(stage: &Stage, status: u16, code: &str) -> Keyless {
    let body =
        format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code></Error></ErrorResponse>");
    stage.answers(ServiceName::AwsSts, status, &body).recipe("aws-openai")
}

#[test]
fn where_nobody_answers() {
    diagnosed(&[
        Fault {
            name: "no Azure machine",
            induce: |stage| absent(stage, "azure-openai", "169.254.169.254"),
            step: "source",
            code: "token-service-unreachable",
            exit: 4,
            phrase: "IDENTITY_ENDPOINT",
        },
        Fault {
            name: "no Google Cloud machine",
            induce: |stage| absent(stage, "gcp-openai", "metadata.google.internal"),
            step: "source",
            code: "token-service-unreachable",
            exit: 4,
            phrase: "Workload Identity",
        },
        Fault {
            name: "a container too far from its EC2 instance",
            induce: |stage| absent(stage, "aws-ec2-openai", "169.254.169.254"),
            step: "source",
            code: "token-service-unreachable",
            exit: 6,
            phrase: "http-put-response-hop-limit 2",
        },
        Fault {
            name: "a firewall before AWS STS",
            induce: |stage| {
                let mut keyless = stage.recipe("aws-openai");
                let rule = format!(
                    "localhost:{}:127.0.0.1:{}",
                    stage.sandbox.port(ServiceName::AwsSts),
                    stage.closed_port()
                );
                keyless.command.env("KEYLESS_CONNECT_TO", rule);
                keyless
            },
            step: "source",
            code: "token-service-unreachable",
            exit: 6,
            phrase: "VPC endpoint",
        },
        Fault {
            name: "a proxy that opens TLS before AWS STS",
            induce: |stage| {
                let mut keyless = stage.recipe("aws-openai");
                keyless.command.env_remove("KEYLESS_CA_CERT");
                keyless
            },
            step: "source",
            code: "token-service-untrusted",
            exit: 6,
            phrase: "--ca-cert FILE",
        },
        Fault {
            name: "a role whose own token is not there",
            induce: |stage| {
                stage.recipe("aws-web-identity-openai").env("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token")
            },
            step: "source",
            code: "token-volume-missing",
            exit: 4,
            phrase: "AWS_WEB_IDENTITY_TOKEN_FILE",
        },
    ]);
}

#[test]
fn where_the_platform_refuses() {
    diagnosed(&[
        Fault {
            name: "a managed identity that is not assigned",
            induce: |stage| {
                let body = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
                stage.answers(ServiceName::Azure, 400, body).recipe("azure-openai")
            },
            step: "source",
            code: "token-service-refused",
            exit: 4,
            phrase: "az vm identity assign",
        },
        Fault {
            name: "App Service with another header",
            induce: |stage| {
                stage.recipe("azure-app-service-openai").env("IDENTITY_HEADER", "sk-canary-header")
            },
            step: "source",
            code: "token-service-refused",
            exit: 4,
            phrase: "az webapp identity assign",
        },
        Fault {
            name: "a machine without a service account",
            induce: |stage| stage.fault(ServiceName::Gcp, Bad::status(404)).recipe("gcp-openai"),
            step: "source",
            code: "token-service-refused",
            exit: 4,
            phrase: "service account",
        },
        Fault {
            name: "a request token of a job that has ended",
            induce: |stage| {
                stage.recipe("github-openai").env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "sk-canary-old")
            },
            step: "source",
            code: "token-service-refused",
            exit: 4,
            phrase: "id-token: write",
        },
        Fault {
            name: "outbound federation is switched off in AWS",
            induce: |stage| sts(stage, 403, "OutboundWebIdentityFederationDisabledException"),
            step: "source",
            code: "aws-federation-disabled",
            exit: 4,
            phrase: "aws iam enable-outbound-web-identity-federation",
        },
        Fault {
            name: "a role that may not ask for tokens",
            induce: |stage| sts(stage, 403, "AccessDenied"),
            step: "source",
            code: "aws-access-denied",
            exit: 4,
            phrase: "sts:GetWebIdentityToken",
        },
        Fault {
            name: "a secret key of another access key",
            induce: |stage| stage.recipe("aws-openai").env("AWS_SECRET_ACCESS_KEY", "sk-canary-secret"),
            step: "source",
            code: "aws-signature",
            exit: 4,
            phrase: "AWS_SECRET_ACCESS_KEY",
        },
        Fault {
            name: "keys that AWS does not know",
            induce: |stage| stage.recipe("aws-openai").env("AWS_ACCESS_KEY_ID", "AKIAAAAAAAAAAAAAAAAA"),
            step: "source",
            code: "aws-keys-refused",
            exit: 4,
            phrase: "AWS_SESSION_TOKEN",
        },
    ]);
}

#[test]
fn where_something_else_answers_or_nothing_works() {
    diagnosed(&[
        Fault {
            name: "a captive portal sends elsewhere",
            induce: |stage| {
                let location = "https://login.example/?next=sk-canary".to_owned();
                stage.fault(ServiceName::Gcp, Bad::Redirect { location, status: 302 }).recipe("gcp-openai")
            },
            step: "source",
            code: "token-service-impostor",
            exit: 4,
            phrase: "captive portal",
        },
        Fault {
            name: "a web page in the place of Azure",
            induce: |stage| stage.fault(ServiceName::Azure, Bad::Html).recipe("azure-openai"),
            step: "source",
            code: "token-service-impostor",
            exit: 4,
            phrase: "something else answers",
        },
        Fault {
            name: "Azure asks for fewer requests",
            induce: |stage| stage.busy(ServiceName::Azure, 429).recipe("azure-openai"),
            step: "source",
            code: "token-service-failed",
            exit: 4,
            phrase: "out of order",
        },
    ]);
}

#[test]
fn a_clock_that_aws_does_not_share() {
    let stage = Stage::new();
    stage.sandbox.advance_clock(Duration::from_secs(3_600));
    let mut keyless = stage.recipe("aws-openai");
    keyless.command.args(["doctor", "--json"]);
    let outcome = keyless.outcome();
    stage.holds_no_secret(&outcome, "a clock");
    assert_eq!(
        step(&outcome, "source")["summary"],
        "AWS STS refused (status 403 with `SignatureDoesNotMatch`)"
    );
    let code = |name| step(&outcome, name)["code"].clone();
    assert_eq!(
        (outcome.code, code("source"), code("clock")),
        (4, "aws-signature".into(), "clock-skew".into()),
        "{outcome:?}"
    );
}
