//! The variables of OpenAI's, Codex's and Anthropic's clients.

#![no_main]

use keyless_fuzz::document::Document;
use keyless_fuzz::natively;
use libfuzzer_sys::fuzz_target;

const GOOD: &[&str] =
    &[r#"{"environment":"openai"}"#, r#"{"environment":"codex"}"#, r#"{"environment":"anthropic"}"#];

fuzz_target!(|bytes: &[u8]| {
    let document = Document::from_input(bytes, GOOD);
    if let Some((_, plan)) = document.check() {
        natively::means_the_same(&document, &plan);
    }
});
