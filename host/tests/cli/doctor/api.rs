//! APIs that do not take the credential.

use keyless_sandbox::{Fault as Bad, ServiceName};

use super::{Fault, diagnosed};

const API: ServiceName = ServiceName::Upstream;

#[test]
fn who_may_not() {
    diagnosed(&[
        Fault {
            name: "an API of another vendor",
            induce: |stage| stage.answers(API, 401, r#"{"error":{"code":"invalid_api_key"}}"#).ready_made(),
            step: "api",
            code: "api-unauthorized",
            exit: 5,
            phrase: "belong to the same API",
        },
        Fault {
            name: "a key that was revoked",
            induce: |stage| {
                let document = stage.sandbox.documents().native_static;
                stage.document(document.replace(stage.sandbox.api_key(), "sk-canary-7f3a"))
            },
            step: "api",
            code: "api-key-refused",
            exit: 5,
            phrase: "invalid_api_key",
        },
        Fault {
            name: "a service account that may not list models",
            induce: |stage| stage.fault(API, Bad::status(403)).ready_made(),
            step: "api",
            code: "api-forbidden",
            exit: 5,
            phrase: "--no-call",
        },
        Fault {
            name: "a budget that is used up",
            induce: |stage| stage.busy(API, 429).ready_made(),
            step: "api",
            code: "api-throttled",
            exit: 6,
            phrase: "billing",
        },
    ]);
}

#[test]
fn where_there_is_no_api() {
    diagnosed(&[
        Fault {
            name: "a base URL without its version",
            induce: |stage| {
                let base = stage.sandbox.base_url();
                stage.with(&base, base.strip_suffix("/v1").unwrap())
            },
            step: "api",
            code: "api-not-found",
            exit: 6,
            phrase: "`/v1`",
        },
        Fault {
            name: "a website",
            induce: |stage| stage.fault(API, Bad::Html).ready_made(),
            step: "api",
            code: "api-html",
            exit: 6,
            phrase: "https://api.openai.com/v1",
        },
        Fault {
            name: "a login page elsewhere",
            induce: |stage| {
                let location = "https://login.example/?next=sk-canary".to_owned();
                stage.fault(API, Bad::Redirect { location, status: 302 }).ready_made()
            },
            step: "api",
            code: "api-redirect",
            exit: 6,
            phrase: "login page",
        },
        Fault {
            name: "an API that is down",
            induce: |stage| stage.fault(API, Bad::status(500)).ready_made(),
            step: "api",
            code: "api-failed",
            exit: 6,
            phrase: "out of order",
        },
        Fault {
            name: "nobody listens",
            induce: |stage| {
                let nowhere = format!("https://localhost:{}/v1", stage.closed_port());
                stage.with(&stage.sandbox.base_url(), &nowhere)
            },
            step: "api",
            code: "endpoint-refused",
            exit: 6,
            phrase: "/v1/models cannot be reached",
        },
        Fault {
            name: "a connection that is cut",
            induce: |stage| stage.fault(API, Bad::CloseBefore).ready_made(),
            step: "api",
            code: "api-silent",
            exit: 6,
            phrase: "got no answer",
        },
    ]);
}
