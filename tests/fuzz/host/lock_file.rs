//! Lock files: what is read and written is read as the same grant, and written as the same text.

#![no_main]

use keyless::{Grant, Lock};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let lock = match Lock::from_json(&text) {
        Ok(lock) => lock,
        Err(error) => return assert!(!error.message.is_empty() && error.code.contains('-'), "{error}"),
    };
    let written = lock.to_json();
    let again = Lock::from_json(&written);
    assert_eq!(again.as_ref().ok(), Some(&lock), "{written}");
    assert_eq!(again.map(|again| again.to_json()).ok().as_deref(), Some(written.as_str()));
    assert!(written.ends_with("}\n") && !written.trim_end().contains("\n\n"));
    is_sound(lock.grant());
    if let Some(source) = lock.grant().source_component() {
        is_sound(source.grant());
        assert!(source.grant().source_component().is_none(), "a component's grant within a component's");
    }
});

/// Nothing that may never be granted has got in.
fn is_sound(grant: &Grant) {
    for endpoint in grant.endpoints() {
        assert!(endpoint.method.bytes().all(|byte| byte.is_ascii_uppercase()), "{endpoint}");
        let url = url::Url::parse(&endpoint.url);
        assert!(
            url.is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.query().is_none()),
            "{endpoint}"
        );
    }
}
