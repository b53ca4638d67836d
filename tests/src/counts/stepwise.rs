//! What the component without imports takes, told event by event.

use std::collections::VecDeque;

use keyless_engine::Event;
use keyless_engine::io::{Effect, Now, Request, Response};
use keyless_engine::secret::SecretBytes;
use keyless_scenarios::hosts::Pairs;
use keyless_scenarios::hosts::engine::Engine as _;
use serde_json::{Value, json};

use super::Counts;
use crate::machine::Machine;

/// Its name, the document, and the variables that it is given.
type Written = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// The same connection in several dialects, of some 600 bytes each, and one that mints; with the variables that they read.
const DOCUMENTS: [Written; 6] = [
    ("native", include_str!("../../counts/native.json"), &[]),
    ("airflow-json", include_str!("../../counts/airflow.json"), &[]),
    ("airflow-uri", include_str!("../../counts/airflow.uri"), &[]),
    (
        "environment",
        r#"{"environment": "openai"}"#,
        &[
            ("OPENAI_IDENTITY_PROVIDER_ID", "idp_0123456789abcdef01234567"),
            ("OPENAI_SERVICE_ACCOUNT_ID", "svc_acct_0123456789abcdef"),
            ("OPENAI_BASE_URL", "https://api.openai.com/v1"),
            ("OPENAI_ORG_ID", "org-0123456789abcdef"),
            ("OPENAI_PROJECT_ID", "proj_0123456789abcdef"),
        ],
    ),
    ("external-secrets", include_str!("../../counts/external-secrets.json"), &[]),
    ("minted", include_str!("../../counts/minted.json"), &[("ADMIN_KEY", "sk-admin-0123456789abcdef")]),
];

const START: Now = Now { wall_ms: 1_796_206_000_000, monotonic_ms: 50_000 };

pub(super) fn counts() -> Counts {
    let mut counts = Counts::new();
    for (dialect, document, variables) in DOCUMENTS {
        let variables = owned(variables);
        counted(&mut counts, &format!("machine: variables, {dialect}"), &mut Machine::new(), |machine| {
            machine.variables(document).expect(dialect)
        });
        counted(&mut counts, &format!("machine: plan, {dialect}"), &mut Machine::new(), |machine| {
            machine.plan(document, &variables).expect(dialect)
        });
        counted(&mut counts, &format!("machine: open, {dialect}"), &mut Machine::new(), |machine| {
            machine.open(document, &variables).expect(dialect);
        });
    }
    renewal(&mut counts, "native", "machine: renewal", &mut exchanged);
    renewal(&mut counts, "minted", "machine: minting a key", &mut minted);
    counts
}

/// From nothing to a credential, and how that is read.
fn renewal(counts: &mut Counts, dialect: &str, name: &str, answer: &mut dyn FnMut(&Request) -> Value) {
    let (_, document, variables) =
        DOCUMENTS.into_iter().find(|(known, ..)| *known == dialect).expect(dialect);
    let mut machine = Machine::new();
    machine.open(document, &owned(variables)).expect(dialect);
    counted(counts, name, &mut machine, |machine| all_steps(machine, answer));
    let held = counted(counts, &format!("{name}, then the credential"), &mut machine, |machine| {
        machine.credential(START).expect("no error")
    });
    assert!(held.is_some(), "{name}: no credential");
    let idle = counted(counts, &format!("{name}, then a step with nothing due"), &mut machine, |machine| {
        machine.step(START, Event::Tick)
    });
    assert!(idle.is_empty(), "{name}: something is due");
}

fn all_steps(machine: &mut Machine, answer: &mut dyn FnMut(&Request) -> Value) {
    let mut events = VecDeque::from([Event::Tick]);
    while let Some(event) = events.pop_front() {
        for effect in machine.step(START, event) {
            events.push_back(match effect {
                Effect::ReadFile { id, .. } => Event::File(id, Ok(SecretBytes::from(subject_token()))),
                Effect::Send { id, request } => {
                    let body = SecretBytes::from(answer(&request).to_string().into_bytes());
                    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
                    Event::Response(id, Ok(Response { status: 200, headers, body }))
                }
                Effect::AskSource { .. } | Effect::Cancel { .. } => panic!("nothing of that is asked for"),
            });
        }
    }
}

/// Some 1.2 KB, as platforms and endpoints have them.
fn subject_token() -> Vec<u8> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = json!({
        "iss": "https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
        "sub": "system:serviceaccount:team:workload",
        "aud": ["https://api.openai.com/v1"],
        "exp": START.wall_ms / 1_000 + 3_600,
        "iat": START.wall_ms / 1_000,
        "kubernetes.io": {"namespace": "team", "node": {"name": "n".repeat(200)}},
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({"alg": "RS256", "kid": "0123456789abcdef"}));
    format!("{header}.{}.{}", part(&claims), "s".repeat(342)).into_bytes()
}

fn exchanged(_: &Request) -> Value {
    json!({
        "access_token": "t".repeat(1_200),
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": 3_600,
    })
}

/// An Admin API with twenty accounts of somebody else's.
fn minted(request: &Request) -> Value {
    let account = |n: usize| json!({"object": "organization.project.service_account", "id": format!("svc_acct_{n}"), "name": "other", "role": "member", "created_at": 1_790_000_000});
    match request.method {
        "GET" => {
            let data: Vec<_> = (0..20).map(account).collect();
            json!({"object": "list", "data": data, "first_id": "svc_acct_0", "last_id": "svc_acct_19", "has_more": false})
        }
        "POST" => {
            let key = json!({"object": "organization.project.service_account.api_key", "value": "k".repeat(164), "id": "key_1", "name": "Secret Key", "created_at": 1_790_000_000});
            let mut account = account(20);
            let asked: Value = serde_json::from_slice(&request.body).expect("JSON");
            account["name"] = asked["name"].clone();
            account["api_key"] = key;
            account
        }
        other => panic!("{other} is not asked for"),
    }
}

fn counted<T>(
    counts: &mut Counts,
    name: &str,
    machine: &mut Machine,
    act: impl FnOnce(&mut Machine) -> T,
) -> T {
    let before = machine.instructions();
    let result = act(machine);
    counts.insert(name.to_owned(), machine.instructions() - before);
    result
}

fn owned(variables: &[(&str, &str)]) -> Box<Pairs> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
