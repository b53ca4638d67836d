//! Our own form of a connection document.

#![no_main]

use keyless_fuzz::document::Document;
use keyless_fuzz::natively;
use libfuzzer_sys::fuzz_target;

const GOOD: &[&str] = &[
    r#"{"api_key":"sk-CANARY-1","api":{"type":"bearer","base_url":"https://a.example","default_headers":{"x-team":"CANARY-team"}}}"#,
    r#"{"api_key":{"variable":"A_VARIABLE"},"api":{"organization":"org-1","project":"proj_1"}}"#,
    r#"{"source":{"type":"aws","audience":"a","signing_algorithm":"RS256","duration_seconds":600,"region":"eu-central-1","sts_endpoint":"https://sts.example"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"},"refresh_buffer_seconds":600}"#,
    r#"{"source":{"type":"azure","resource":"api://a","object_id":"o","client_id":"c","msi_res_id":"/s","api_version":"2021-02-01"},"exchange":{"type":"codex","federation_rule_id":"idpm_1","workload_identity_context":{"instance_id":"pod-1"}}}"#,
    r#"{"source":{"type":"variable","variable":"A_VARIABLE","audience":"a"},"exchange":{"type":"rfc7523","grant":"client_credentials","token_endpoint":"https://a.example/token","client_id":"c","scope":"s","parameters":{"x":"CANARY-parameter"}},"api":{"base_url":"https://a.example"}}"#,
    r#"{"source":{"type":"custom","component":"/c.wasm","token_type":"id","audience":"a","endpoints":["POST https://a.example/token"],"files":["/f"],"variables":["V"]},"exchange":{"type":"openrouter","federation_policy_id":"fp_1","scope":"a"}}"#,
    r#"{"source":{"type":"file","token_file_path":"/t"},"exchange":{"type":"anthropic","federation_rule_id":"fdrl_1","organization_id":"7f0c2a5e-5d0b-4f0e-9f53-0d7b1c1f2a3b","service_account_id":"svac_1","workspace_id":"wrkspc_1"}}"#,
    r#"{"source":{"type":"gcp","audience":"a","format":"full"},"exchange":{"type":"rfc8693","token_endpoint":"https://a.example/token","client_id":"c","client_secret":{"variable":"CLIENT_SECRET"},"client_authentication":"post","subject_token_type":"urn:x"},"api":{"base_url":"https://a.example"}}"#,
    r#"{"source":{"type":"x509","certificate_file":"/c","private_key_file":"/k"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#,
];

fuzz_target!(|bytes: &[u8]| {
    let document = Document::from_input(bytes, GOOD);
    if let Some((_, plan)) = document.check() {
        natively::means_the_same(&document, &plan);
    }
});
