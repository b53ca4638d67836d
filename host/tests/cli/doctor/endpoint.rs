//! Names, connections and certificates of the token endpoint.

use keyless_sandbox::ServiceName;

use super::{Fault, diagnosed};
use crate::doctor::stage::Stage;
use crate::harness::Keyless;

/// The ready-made document with a token endpoint of this name, which leads to this place.
fn named(stage: &Stage, name: &str, to: &str) -> Keyless {
    stage
        .with(&stage.sandbox.token_endpoint(), &format!("https://{name}/oauth/token"))
        .env("KEYLESS_CONNECT_TO", format!("{name}:443:{to}"))
}

#[test]
fn where_there_is_no_way() {
    diagnosed(&[
        Fault {
            name: "a name that does not resolve",
            // No name server is asked about a label of more than 63 characters.
            induce: |stage| named(stage, "auth.example", &format!("{}.example:443", "a".repeat(64))),
            step: "endpoint",
            code: "endpoint-unresolved",
            exit: 6,
            phrase: "getent hosts",
        },
        Fault {
            name: "nobody listens",
            induce: |stage| named(stage, "auth.openai.com", &format!("127.0.0.1:{}", stage.closed_port())),
            step: "endpoint",
            code: "endpoint-refused",
            exit: 6,
            phrase: "nothing listens",
        },
        Fault {
            name: "a proxy that is configured and not used",
            induce: |stage| {
                let keyless = named(stage, "auth.openai.com", &format!("127.0.0.1:{}", stage.closed_port()));
                keyless.env("HTTPS_PROXY", "http://user:sk-canary@proxy.example:3128")
            },
            step: "endpoint",
            code: "endpoint-refused",
            exit: 6,
            phrase: "a proxy is configured",
        },
    ]);
}

#[test]
fn whom_not_to_trust() {
    diagnosed(&[
        Fault {
            name: "a private authority",
            induce: |stage| {
                let mut keyless = stage.ready_made();
                keyless.command.env_remove("KEYLESS_CA_CERT");
                keyless
            },
            step: "endpoint",
            code: "certificate-unknown-issuer",
            exit: 6,
            phrase: "--ca-cert FILE",
        },
        Fault {
            name: "a certificate for other names",
            induce: |stage| {
                let port = stage.sandbox.port(ServiceName::Exchange);
                named(stage, "auth.other.example", &format!("127.0.0.1:{port}"))
            },
            step: "endpoint",
            code: "certificate-wrong-name",
            exit: 6,
            phrase: "for other names",
        },
        Fault {
            name: "a certificate of the last century",
            induce: |stage| {
                let (port, authority) = stage.expired_certificate();
                stage
                    .with(&stage.sandbox.token_endpoint(), &format!("https://localhost:{port}/oauth/token"))
                    .env("KEYLESS_CA_CERT", authority)
            },
            step: "endpoint",
            code: "certificate-expired",
            exit: 6,
            phrase: "has expired",
        },
        Fault {
            name: "a port that speaks plain http",
            induce: |stage| {
                let port = stage.sandbox.port(ServiceName::Gcp);
                named(stage, "auth.openai.com", &format!("127.0.0.1:{port}"))
            },
            step: "endpoint",
            code: "tls-failed",
            exit: 6,
            phrase: "plain http port",
        },
    ]);
}
