//! Airflow's JSON form, and its `extra` alone.

#![no_main]

use keyless_fuzz::document::Document;
use keyless_fuzz::natively;
use libfuzzer_sys::fuzz_target;

const GOOD: &[&str] = &[
    r#"{"conn_type":"openai","password":"sk-CANARY-1","host":"https://a.example/v1","login":"l","schema":"s","port":443}"#,
    r#"{"conn_type":"openai","extra":{"auth_type":"workload_identity","workload_identity_provider":"kubernetes","identity_provider_id":"idp_1","service_account_id":"svc_acct_1","token_file_path":"/t","refresh_buffer_seconds":"600"}}"#,
    r#"{"auth_type":"workload_identity","workload_identity_provider":"azure","identity_provider_id":"idp_1","service_account_id":"svc_acct_1","resource":"api://a","token_endpoint":"http://127.0.0.1:1/t"}"#,
    r#"{"auth_type":"workload_identity","workload_identity_provider":"custom","token_provider":"/c.wasm","token_type":"id","identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}"#,
    r#"{"extra":{"openai_client_kwargs":{"api_key":"sk-CANARY-1","base_url":"https://a.example","organization":"o","project":"p","timeout":5,"default_headers":{"x-team":"CANARY-team"}}}}"#,
    r#"{"extra":"{\"auth_type\":\"api_key\"}","password":"sk-CANARY-1"}"#,
    r#"{"uri":"openai://:sk-CANARY-1@a.example:443/v1?auth_type=api_key"}"#,
];

fuzz_target!(|bytes: &[u8]| {
    let document = Document::from_input(bytes, GOOD);
    if let Some((_, plan)) = document.check() {
        natively::means_the_same(&document, &plan);
    }
});
