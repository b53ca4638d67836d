//! The documents that the sandbox offers.

use keyless_sandbox::{Options, Sandbox};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

#[tokio::test]
async fn every_dialect_says_the_same() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let documents = sandbox.documents();
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();

    let api = json!({"base_url": sandbox.base_url()});
    let native = json!({
        "auth_type": "workload_identity",
        "source": {"type": "kubernetes", "token_file_path": sandbox.token_path()},
        "exchange": {
            "type": "openai",
            "identity_provider_id": "idp_sandbox",
            "service_account_id": "svc_acct_sandbox",
            "token_endpoint": sandbox.token_endpoint(),
        },
        "api": api,
    });
    assert_eq!(parse(&documents.native), native);
    assert!(documents.native.starts_with(r#"{"auth_type""#));
    assert_eq!(parse(&documents.native_static), json!({"api_key": sandbox.api_key(), "api": api}));

    let extra = json!({
        "auth_type": "workload_identity",
        "workload_identity_provider": "kubernetes",
        "identity_provider_id": "idp_sandbox",
        "service_account_id": "svc_acct_sandbox",
        "token_file_path": sandbox.token_path(),
        "token_endpoint": sandbox.token_endpoint(),
        "openai_client_kwargs": api,
    });
    assert_eq!(parse(&documents.airflow_json), json!({"conn_type": "openai", "extra": extra}));
    let text_extra = parse(&documents.airflow_json_text_extra);
    assert_eq!(parse(text_extra["extra"].as_str().unwrap()), extra);

    let minting = json!({
        "exchange": {
            "type": "openai-service-account",
            "admin_key": {"file": sandbox.openai_admin_key_path()},
            "project_id": sandbox.openai_project_id(),
            "service_account_name_prefix": "sandbox",
            "host": sandbox.base_url(),
            "refresh_interval": "30s",
            "grace": "20s",
        },
    });
    assert_eq!(parse(&documents.openai_service_account.document), minting);
    assert_eq!(documents.openai_service_account.try_on, format!("{}/models", sandbox.base_url()));

    let query = documents.airflow_uri.strip_prefix("openai:///?__extra__=").unwrap();
    assert!(!query.contains(['+', '&', '=', '/', '#']), "{query}");
    assert_eq!(parse(&percent_decode_str(query).decode_utf8().unwrap()), extra);
}

#[tokio::test]
async fn the_announcement_names_everything() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let text = sandbox.announce();
    let documents = sandbox.documents();
    let parts = [
        sandbox.issuer_url(),
        sandbox.token_endpoint(),
        sandbox.base_url(),
        sandbox.admin_url(),
        sandbox.ca_path().display().to_string(),
        sandbox.token_path().display().to_string(),
        documents.native,
        documents.native_static,
        documents.openai_service_account.document,
        sandbox.openai_admin_key_path().display().to_string(),
        sandbox.openai_project_id().to_owned(),
        documents.airflow_uri,
        documents.airflow_json,
        documents.airflow_json_text_extra,
        format!("curl -s -X POST {}/rotate-token", sandbox.admin_url()),
    ];
    for part in parts {
        assert!(text.contains(&part), "{text}\nlacks {part}");
    }
}
