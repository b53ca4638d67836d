//! The form of Okta's connector, in both spellings.

#![no_main]

use keyless_fuzz::document::Document;
use keyless_fuzz::natively;
use libfuzzer_sys::fuzz_target;

const GOOD: &[&str] = &[
    r#"{"nickname":"research","organizationId":"org-1","apiKey":"sk-CANARY-1","projectId":"proj-1"}"#,
    r#"{"nickname":"research","organization_id":"org-1","api_key":{"variable":"A_VARIABLE"}}"#,
];

fuzz_target!(|bytes: &[u8]| {
    let document = Document::from_input(bytes, GOOD);
    if let Some((_, plan)) = document.check() {
        natively::means_the_same(&document, &plan);
    }
});
