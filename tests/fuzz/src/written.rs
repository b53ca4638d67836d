//! Documents as people write them, with a few mistakes: a good one of the dialect, changed here and there. Bytes alone
//! would hardly ever get past the first field.

use serde_json::{Map, Value};

use crate::input::Input;
use crate::shown::MARK;

/// Every name that a document may hold, in all dialects.
const NAMES: &[&str] = &[
    "api",
    "api_key",
    "apiKey",
    "api_version",
    "audience",
    "auth_type",
    "base_url",
    "certificate_file",
    "client_authentication",
    "client_id",
    "client_secret",
    "component",
    "conn_type",
    "default_headers",
    "description",
    "duration_seconds",
    "encoding",
    "endpoints",
    "environment",
    "exchange",
    "extra",
    "federation_policy_id",
    "federation_rule_id",
    "files",
    "format",
    "grant",
    "host",
    "identity_provider_id",
    "login",
    "max_retries",
    "msi_res_id",
    "nickname",
    "object_id",
    "openai_client_kwargs",
    "organization",
    "organization_id",
    "organizationId",
    "parameters",
    "password",
    "port",
    "private_key_file",
    "project",
    "project_id",
    "projectId",
    "refresh_buffer_seconds",
    "region",
    "requested_token_type",
    "resource",
    "schema",
    "scope",
    "service_account_id",
    "signing_algorithm",
    "source",
    "sts_endpoint",
    "subject_token_type",
    "timeout",
    "token_endpoint",
    "token_file_path",
    "token_provider",
    "token_type",
    "type",
    "uri",
    "variable",
    "variables",
    "workload_identity_context",
    "workload_identity_provider",
    "workspace_id",
    "x-team",
    "tokn_file_path",
    "",
];

/// Values that mean something somewhere.
const VALUES: &[&str] = &[
    "kubernetes",
    "file",
    "azure",
    "gcp",
    "aws",
    "github",
    "variable",
    "spiffe",
    "aks",
    "eks",
    "x509",
    "custom",
    "openai",
    "codex",
    "anthropic",
    "openrouter",
    "rfc8693",
    "rfc7523",
    "bearer",
    "api_key",
    "workload_identity",
    "jwt",
    "id",
    "basic",
    "post",
    "none",
    "json",
    "form",
    "full",
    "standard",
    "ES384",
    "RS256",
    "client_credentials",
    "jwt-bearer",
    "eu-central-1",
    "cn-north-1",
    "us-gov-west-1",
    "idp_1",
    "svc_acct_1",
    "fdrl_1",
    "7f0c2a5e-5d0b-4f0e-9f53-0d7b1c1f2a3b",
    "https://a.example/v1",
    "http://127.0.0.1:8443/oauth/token",
    "http://a.example",
    "https://[::1]:1/x",
    "http://169.254.169.254/x",
    "GET http://169.254.169.254/opc/v2/",
    "POST https://a.example/token",
    "a.example",
    "/var/run/secrets/tokens/token",
    "t",
    "600",
    "1e400",
    "-1",
    "0.5",
    " ",
    "",
    "A_VARIABLE",
    "CLIENT_SECRET",
    "{\"a\":1}",
    "{\"instance_id\":\"pod-1\"}",
    "é",
];

/// Fields whose text is a secret.
const SECRET: &[&str] = &["api_key", "apiKey", "password"];

/// Objects in which they are; elsewhere these names mean nothing.
const KEEP_SECRETS: &[&str] = &["", "openai_client_kwargs"];

/// One of `good` (JSON objects), changed.
pub fn document(input: &mut Input<'_>, good: &[&str]) -> Value {
    let start = input.pick(good).unwrap_or("{}");
    let mut document = serde_json::from_str(start).unwrap_or_default();
    for _ in 0..input.below(5) {
        change(input, "", &mut document, 3);
    }
    document
}

/// Something in the object under the key `within` becomes something else.
fn change(input: &mut Input<'_>, within: &str, value: &mut Value, depth: usize) {
    let Value::Object(map) = value else {
        *value = any(input, within, "", depth);
        return;
    };
    let choice = input.byte();
    let key = if choice & 1 == 0 && !map.is_empty() {
        map.keys().nth(input.below(map.len().min(256))).cloned()
    } else {
        input.pick(NAMES).map(str::to_owned)
    };
    let Some(key) = key else { return };
    match choice >> 1 & 3 {
        0 => drop(map.remove(&key)),
        1 if depth > 0 && map.get(&key).is_some_and(Value::is_object) => {
            map.entry(key.clone()).and_modify(|inner| change(input, &key, inner, depth - 1));
        }
        _ => {
            let inner = any(input, within, &key, depth);
            map.insert(key, inner);
        }
    }
}

/// Any value for a key of the object under `within`; a secret in a secret's place, marked.
fn any(input: &mut Input<'_>, within: &str, key: &str, depth: usize) -> Value {
    match input.below(9) {
        0..=2 if SECRET.contains(&key) && KEEP_SECRETS.contains(&within) => {
            Value::from(format!("sk-{MARK}-0123456789"))
        }
        0 | 1 => input.pick(VALUES).map_or(Value::Null, Value::from),
        2 => Value::from(String::from_utf8_lossy(input.piece()).replace(MARK, "")),
        3 => Value::from(input.number()),
        4 => Value::from(f64::from_bits(input.number() << 16)),
        5 => Value::from(input.byte() & 1 == 0),
        6 => Value::Null,
        7 if depth > 0 => (0..input.below(4)).map(|_| any(input, key, "", depth - 1)).collect(),
        _ if depth > 0 => {
            let mut map = Map::new();
            for _ in 0..input.below(4) {
                let name = input.pick(NAMES).unwrap_or_default();
                map.insert(name.to_owned(), any(input, key, name, depth - 1));
            }
            Value::Object(map)
        }
        _ => Value::from(1),
    }
}

/// Names with values of which one is enough to get further, each of them in its place.
const PAIRS: &[(&str, &str)] = &[
    ("auth_type", "workload_identity"),
    ("workload_identity_provider", "kubernetes"),
    ("workload_identity_provider", "gcp"),
    ("identity_provider_id", "idp_1"),
    ("service_account_id", "svc_acct_1"),
];

/// A name and a text.
pub fn text_setting(input: &mut Input<'_>) -> (String, String) {
    let choice = input.byte();
    let pair = PAIRS.get(usize::from(choice)).copied();
    let pair = pair.or_else(|| Some((input.pick(NAMES)?, input.pick(VALUES)?)));
    let (name, value) = pair.unwrap_or_default();
    if choice < 0xc0 {
        (name.to_owned(), value.to_owned())
    } else {
        (name.to_owned(), String::from_utf8_lossy(input.piece()).into_owned())
    }
}

/// What a name of a variable that is not read at random may be set to.
const SET: &[&str] = &[
    "CANARY-value",
    "https://a.example/v1",
    "http://localhost:42356/msi/token",
    "/var/run/secrets/tokens/token",
    "idp_1",
    "eu-central-1",
    "7f0c2a5e-5d0b-4f0e-9f53-0d7b1c1f2a3b",
    " x \n",
    "é",
    "a b",
    "{\"instance_id\":\"pod-1\"}",
];

/// Variables by these names, some of them set. A marked secret only where people keep one.
pub fn variables(input: &mut Input<'_>, names: &[String]) -> Vec<(String, String)> {
    let mut set = Vec::new();
    for name in names {
        let choice = input.byte();
        let secret = ["KEY", "SECRET", "TOKEN", "HEADER"].iter().any(|word| name.ends_with(word));
        let value = match choice % 4 {
            0 => continue,
            1 if secret => format!("{MARK}-of-a-variable"),
            1 | 2 => input.pick(SET).unwrap_or_default().to_owned(),
            _ => String::from_utf8_lossy(input.piece()).into_owned(),
        };
        let value = if secret { value } else { value.replace(MARK, "") };
        set.push((name.clone(), value));
    }
    set
}
