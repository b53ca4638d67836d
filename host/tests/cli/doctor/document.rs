//! Documents that cannot be understood, and what is not granted.

use super::{Fault, diagnosed};

#[test]
fn what_is_wrong_with_a_document() {
    diagnosed(&[
        Fault {
            name: "no connection at all",
            induce: |stage| stage.document(""),
            step: "document",
            code: "connection-missing",
            exit: 2,
            phrase: "KEYLESS_CONNECTION",
        },
        Fault {
            name: "JSON that stops in the middle",
            induce: |stage| stage.document(r#"{"source": {"type": "kubernetes""#),
            step: "document",
            code: "document-syntax",
            exit: 2,
            phrase: "$KEYLESS_CONNECTION",
        },
        Fault {
            name: "a required field is missing",
            induce: |stage| {
                stage.document(r#"{"source": "kubernetes", "exchange": {"identity_provider_id": "idp_1"}}"#)
            },
            step: "document",
            code: "field-missing",
            exit: 2,
            phrase: "service_account_id",
        },
        Fault {
            name: "a source that does not exist",
            induce: |stage| stage.with(r#""type":"kubernetes""#, r#""type":"kubernets""#),
            step: "document",
            code: "field-value",
            exit: 2,
            phrase: "source.type",
        },
        Fault {
            name: "a name that keyless.toml does not have",
            induce: |stage| {
                stage.scratch.file("keyless.toml", "[connections]\nprod = 'openai://:sk-canary@'\n");
                stage.document("prdo")
            },
            step: "document",
            code: "connection-name",
            exit: 2,
            phrase: "choose one of prod",
        },
    ]);
}

#[test]
fn what_is_not_set() {
    diagnosed(&[
        Fault {
            name: "GitHub without the permission",
            induce: |stage| {
                let mut keyless = stage.recipe("github-openai");
                keyless.command.env_remove("ACTIONS_ID_TOKEN_REQUEST_URL");
                keyless
            },
            step: "document",
            code: "variable-missing",
            exit: 2,
            phrase: "permissions: id-token: write",
        },
        Fault {
            name: "a pod that AKS's webhook left alone",
            induce: |stage| {
                stage.document(r#"{"source": "aks", "exchange": {"identity_provider_id": "a", "service_account_id": "b"}}"#)
            },
            step: "document",
            code: "variable-missing",
            exit: 2,
            phrase: "azure.workload.identity/use",
        },
        Fault {
            name: "a CI variable that is not there",
            induce: |stage| {
                stage.document(
                    r#"{"source": {"type": "variable", "variable": "CIRCLE_OIDC_TOKEN_V2"},
                        "exchange": {"identity_provider_id": "a", "service_account_id": "b"}}"#,
                )
            },
            step: "document",
            code: "variable-missing",
            exit: 2,
            phrase: "context",
        },
    ]);
}

#[test]
fn what_is_not_granted() {
    diagnosed(&[
        Fault {
            name: "a lock file of another connection",
            induce: |stage| {
                let lock = stage.scratch.path().join("keyless.lock").display().to_string();
                let other =
                    stage.document_with(&stage.sandbox.token_endpoint(), "https://auth.example/oauth/token");
                stage.scratch.keyless(["plan", "-c", &other, "--lock", &lock]).outcome().success();
                stage.ready_made().env("KEYLESS_LOCKED", lock)
            },
            step: "grant",
            code: "grant-exceeded",
            exit: 3,
            phrase: "keyless plan --lock FILE",
        },
        Fault {
            name: "a lock file that is not there",
            induce: |stage| stage.ready_made().env("KEYLESS_LOCKED", "nowhere.lock"),
            step: "grant",
            code: "lock-unreadable",
            exit: 2,
            phrase: "nowhere.lock",
        },
        Fault {
            name: "a lock file that is none",
            induce: |stage| {
                let lock = stage.scratch.file("keyless.lock", "{}");
                stage.ready_made().env("KEYLESS_LOCKED", lock)
            },
            step: "grant",
            code: "lock-invalid",
            exit: 2,
            phrase: "lock",
        },
    ]);
}
