//! Token files and variables: what a platform leaves lying about, or does not.

use std::os::unix::fs::symlink;
use std::time::Duration;

use serde_json::json;

use super::{Fault, diagnosed};
use crate::doctor::stage::Stage;
use crate::harness::Keyless;

/// The ready-made document with another token file.
fn file(stage: &Stage, path: &str) -> Keyless {
    stage.with(&stage.sandbox.token_path().display().to_string(), path)
}

/// The ready-made document that reads this in a directory that no kubelet keeps.
fn copy(stage: &Stage, content: &str) -> Keyless {
    let path = stage.scratch.file("copy/token", content);
    file(stage, &path.display().to_string())
}

/// A token of the workload that ended a minute ago.
fn ended(stage: &Stage) -> keyless_sandbox::Claims {
    let mut claims = stage.sandbox.claims();
    (claims.age, claims.lifetime) = (Duration::from_secs(660), Duration::from_secs(600));
    claims
}

#[test]
fn a_token_file_that_is_not_there() {
    diagnosed(&[
        Fault {
            name: "the volume is not mounted",
            induce: |stage| file(stage, "/var/run/secrets/keyless-test-nowhere/token"),
            step: "source",
            code: "token-volume-missing",
            exit: 4,
            phrase: "not mounted in this container",
        },
        Fault {
            name: "the volume holds another name",
            induce: |stage| {
                stage.sandbox.remove_token().unwrap();
                stage.ready_made()
            },
            step: "source",
            code: "token-file-missing",
            exit: 4,
            phrase: "serviceAccountToken",
        },
        Fault {
            name: "a link to nothing",
            induce: |stage| {
                let path = stage.scratch.path().join("token");
                symlink("..data/token", &path).unwrap();
                file(stage, &path.display().to_string())
            },
            step: "source",
            code: "token-link-broken",
            exit: 4,
            phrase: "subPath",
        },
        Fault {
            name: "the directory instead of the file",
            induce: |stage| file(stage, &stage.sandbox.volume_path().display().to_string()),
            step: "source",
            code: "token-file-not-a-file",
            exit: 4,
            phrase: "DIRECTORY/token",
        },
    ]);
}

#[test]
fn a_token_file_that_holds_something_else() {
    diagnosed(&[
        Fault {
            name: "nothing",
            induce: |stage| stage.token_file("").ready_made(),
            step: "source",
            code: "token-empty",
            exit: 4,
            phrase: "rename",
        },
        Fault {
            name: "half a token",
            induce: |stage| {
                let token = stage.token();
                stage.token_file(&token[..token.len() / 2]).ready_made()
            },
            step: "source",
            code: "token-cut-short",
            exit: 4,
            phrase: "half written",
        },
        Fault {
            name: "an API key",
            induce: |stage| stage.token_file("sk-canary-7f3a").ready_made(),
            step: "source",
            code: "token-not-a-jwt",
            exit: 4,
            phrase: "an API key",
        },
        Fault {
            name: "far too much",
            induce: |stage| stage.token_file(&"x".repeat(20_000)).ready_made(),
            step: "source",
            code: "token-too-large",
            exit: 4,
            phrase: "16 KiB",
        },
    ]);
}

#[test]
fn a_token_that_cannot_be_used() {
    diagnosed(&[
        Fault {
            name: "a kubelet that has stopped renewing",
            induce: |stage| {
                stage.sandbox.write_token(&ended(stage)).unwrap();
                stage.ready_made()
            },
            step: "source",
            code: "token-expired",
            exit: 4,
            phrase: "kubectl describe pod",
        },
        Fault {
            name: "a copy that nobody renews",
            induce: |stage| copy(stage, &stage.sandbox.issue(&ended(stage)).unwrap()),
            step: "source",
            code: "token-expired-copy",
            exit: 4,
            phrase: "subPath",
        },
        Fault {
            name: "a variable that has grown old",
            induce: |stage| {
                let document = json!({
                    "source": {"type": "variable", "variable": "CI_TOKEN"},
                    "exchange": {"identity_provider_id": "a", "service_account_id": "b"},
                });
                let token = stage.sandbox.issue(&ended(stage)).unwrap();
                stage.document(document.to_string()).env("CI_TOKEN", token)
            },
            step: "source",
            code: "token-expired",
            exit: 4,
            phrase: "start the job again",
        },
        Fault {
            name: "another audience than the document says",
            induce: |stage| {
                stage.with(
                    r#""type":"kubernetes""#,
                    r#""type":"kubernetes","audience":"https://other.example""#,
                )
            },
            step: "source",
            code: "token-wrong-audience",
            exit: 4,
            phrase: "projected volume",
        },
        Fault {
            name: "a token for the API server, where that is forbidden",
            induce: |stage| {
                let mut claims = stage.sandbox.claims();
                claims.audience = vec!["https://kubernetes.default.svc".to_owned()];
                stage.sandbox.write_token(&claims).unwrap();
                stage.ready_made().env("KEYLESS_STRICT", "1")
            },
            step: "source",
            code: "audience-control-plane",
            exit: 4,
            phrase: "strictness forbids",
        },
        Fault {
            name: "a control plane's audience in the document, where that is forbidden",
            induce: |stage| {
                let keyless = stage.with(
                    r#""type":"kubernetes","token_file_path":"#,
                    r#""type":"azure","resource":"https://management.azure.com/","x":"#,
                );
                keyless.env("KEYLESS_STRICT", "1")
            },
            step: "source",
            code: "token-for-a-control-plane",
            exit: 4,
            phrase: "--strict",
        },
        Fault {
            name: "a client certificate that is not there",
            induce: |stage| {
                let recipe = stage.sandbox.documents().combinations["x509-openai"].clone();
                let mut document: serde_json::Value = serde_json::from_str(&recipe.document).unwrap();
                document["source"]["certificate_file"] = json!("/nowhere/tls.crt");
                stage.document(document.to_string())
            },
            step: "source",
            code: "client-certificate-unusable",
            exit: 4,
            phrase: "cert-manager",
        },
        Fault {
            name: "a pod's token where a JWT-SVID should be",
            induce: |stage| stage.with(r#""type":"kubernetes""#, r#""type":"spiffe""#),
            step: "source",
            code: "token-wrong-subject",
            exit: 4,
            phrase: "spiffe-helper",
        },
    ]);
}
