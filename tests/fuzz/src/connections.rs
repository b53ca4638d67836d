//! Good connections with everything around them: each exchange behind a file, each source before an exchange.

use keyless_engine::plan::Requirements;
use keyless_engine::{Machine, Variables};

use crate::{attempt, token};

/// A document, the variables it reads, and whom its identity token is for.
pub struct Connection {
    /// In our own form.
    pub document: &'static str,
    /// Name and value. Whatever is secret is marked.
    pub variables: &'static [(&'static str, &'static str)],
    /// What the source insists on.
    pub audience: &'static str,
}

/// What a lease can be told: when to renew, that there is nothing to renew, to be strict.
pub static LEASES: [Connection; 4] = [
    Connection {
        document: r#"{"source":{"type":"file","token_file_path":"/t"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"},"refresh_buffer_seconds":1200}"#,
        variables: &[],
        audience: OPENAI,
    },
    Connection {
        document: r#"{"source":{"type":"file","token_file_path":"/t"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"},"refresh_buffer_seconds":0}"#,
        variables: &[("KEYLESS_STRICT", "1")],
        audience: OPENAI,
    },
    Connection {
        document: r#"{"source":{"type":"variable","variable":"ID_TOKEN"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
        variables: &[("ID_TOKEN", "eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJhIn0.CANARY-no-signature")],
        audience: OPENAI,
    },
    Connection { document: r#"{"api_key":"sk-CANARY-1"}"#, variables: &[], audience: OPENAI },
];

const OPENAI: &str = "https://api.openai.com/v1";

const fn exchange(document: &'static str, variables: &'static [(&'static str, &'static str)]) -> Connection {
    Connection { document, variables, audience: OPENAI }
}

/// Every exchange, and those with two ways of speaking twice.
pub static EXCHANGES: [Connection; 8] = [
    exchange(
        r#"{"source":{"type":"file","token_file_path":"/t"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
        &[],
    ),
    exchange(
        r#"{"source":{"type":"file","token_file_path":"/t"},"exchange":{"type":"codex","federation_rule_id":"idpm_1"}}"#,
        &[],
    ),
    exchange(
        r#"{"source":{"type":"file","token_file_path":"/t"},"exchange":{"type":"anthropic","federation_rule_id":"fdrl_1","organization_id":"7f0c2a5e-5d0b-4f0e-9f53-0d7b1c1f2a3b","service_account_id":"svac_1","workspace_id":"wrkspc_1"}}"#,
        &[],
    ),
    exchange(
        r#"{"source":{"type":"file","token_file_path":"/t"},"exchange":{"type":"openrouter","federation_policy_id":"fp_1"}}"#,
        &[],
    ),
    exchange(
        r#"{"source":{"type":"file","token_file_path":"/t"},"exchange":{"type":"rfc8693","token_endpoint":"https://sts.example/token","audience":"a","encoding":"json"},"api":{"base_url":"https://a.example"}}"#,
        &[],
    ),
    exchange(
        r#"{"source":{"type":"file","token_file_path":"/t"},"exchange":{"type":"rfc8693","token_endpoint":"https://sts.example/token","client_id":"app","client_secret":{"variable":"CLIENT_SECRET"}},"api":{"base_url":"https://a.example"}}"#,
        &[("CLIENT_SECRET", "CANARY-client-secret")],
    ),
    exchange(
        r#"{"source":{"type":"file","token_file_path":"/t"},"exchange":{"type":"rfc7523","token_endpoint":"https://sts.example/token"},"api":{"base_url":"https://a.example"}}"#,
        &[],
    ),
    exchange(
        r#"{"source":{"type":"x509","certificate_file":"/c","private_key_file":"/k"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
        &[],
    ),
];

const fn aws(variables: &'static [(&'static str, &'static str)]) -> Connection {
    Connection {
        document: r#"{"source":"aws","exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
        variables,
        audience: OPENAI,
    }
}

const fn source(document: &'static str, variables: &'static [(&'static str, &'static str)]) -> Connection {
    Connection { document, variables, audience: OPENAI }
}

/// Every source; `aws` with each of its places for keys.
pub static SOURCES: [Connection; 14] = [
    aws(&[("AWS_REGION", "eu-central-1")]),
    aws(&[
        ("AWS_REGION", "eu-central-1"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/pod-identity"),
    ]),
    aws(&[
        ("AWS_REGION", "eu-central-1"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "CANARY-container"),
    ]),
    aws(&[
        ("AWS_REGION", "eu-central-1"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/app"),
    ]),
    aws(&[
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "CANARYID"),
        ("AWS_SECRET_ACCESS_KEY", "CANARY-key"),
        ("AWS_SESSION_TOKEN", "CANARY-session"),
    ]),
    source(
        r#"{"source":{"type":"azure","resource":"https://api.openai.com/v1"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
        &[],
    ),
    source(
        r#"{"source":{"type":"azure","resource":"https://api.openai.com/v1"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
        &[
            ("IDENTITY_ENDPOINT", "http://localhost:42356/msi/token"),
            ("IDENTITY_HEADER", "CANARY-identity-header"),
        ],
    ),
    source(
        r#"{"source":"gcp","exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
        &[],
    ),
    source(
        r#"{"source":"github","exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
        &[
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://ci.example/token?api-version=2.0"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "CANARY-request"),
        ],
    ),
    source(
        r#"{"source":{"type":"kubernetes","audience":"https://api.openai.com/v1"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
        &[],
    ),
    source(
        r#"{"source":{"type":"spiffe","token_file_path":"/svid"},"exchange":{"type":"codex","federation_rule_id":"idpm_1"}}"#,
        &[],
    ),
    source(
        r#"{"source":"aks","exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
        &[("AZURE_FEDERATED_TOKEN_FILE", "/aks")],
    ),
    source(
        r#"{"source":"eks","exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
        &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/eks")],
    ),
    source(
        r#"{"source":{"type":"custom","component":"/oracle.wasm","audience":"https://api.openai.com/v1"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
        &[],
    ),
];

impl Connection {
    /// The variables, to be handed over.
    #[must_use]
    pub fn variables(&self) -> Variables {
        self.variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// A fresh machine.
    #[must_use]
    pub fn open(&self) -> Machine {
        match Machine::open(self.document, &self.variables()) {
            Ok(machine) => machine,
            Err(error) => panic!("{} is a good document: {error}", self.document),
        }
    }

    /// All that it may ask for.
    #[must_use]
    pub fn needs(&self) -> Requirements {
        match keyless_engine::plan(self.document, &self.variables()) {
            Ok((_, plan)) => plan.requirements,
            Err(error) => panic!("{} is a good document: {error}", self.document),
        }
    }

    /// A good identity token for it, for an hour from the start of an attempt.
    #[must_use]
    pub fn token(&self) -> String {
        token::for_audience(self.audience, attempt::START.wall_ms / 1_000 + 3_600)
    }
}

/// A connection with what belongs to it, made once.
pub struct Prepared {
    /// To be opened anew for every input.
    pub connection: &'static Connection,
    /// All that it may ask for.
    pub needs: Requirements,
    /// A good identity token for it.
    pub token: String,
}

/// All of a list.
#[must_use]
pub fn prepared(connections: &'static [Connection]) -> Vec<Prepared> {
    let prepare = |connection: &'static Connection| Prepared {
        connection,
        needs: connection.needs(),
        token: connection.token(),
    };
    connections.iter().map(prepare).collect()
}
