//! `keyless.toml`: connections with names. Every one comes out as a document that says what stands there, and what is wrong
//! is said without a value.

#![no_main]

use keyless_documents::{Format, Names, is_name, to_document};
use keyless_fuzz::shown::MARK;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let names = match Names::read(&text) {
        Ok(names) => names,
        Err(fault) => {
            assert!(!fault.what.is_empty() && !fault.next.is_empty());
            // The name of a connection is shown, and nothing else of the file.
            let named = fault.what.split('`').nth(1).is_some_and(|name| name.contains(MARK) && is_name(name));
            return assert!(named || !fault.what.contains(MARK), "{}", fault.what);
        }
    };
    // It is TOML to whoever looks for one document in it, too.
    let whole = to_document(&text, Some(Format::Toml)).ok().and_then(|whole| json(&whole));
    assert!(whole.is_some());
    let connections = whole.and_then(|mut whole| whole.get_mut("connections").map(Value::take));
    for name in names.names() {
        assert!(is_name(name), "{name}");
        let document = names.document(name).map_or("", |document| document);
        match connections.as_ref().and_then(|connections| connections.get(name)) {
            Some(Value::String(text)) => assert_eq!(document, text, "{name}"),
            // serde_json reads some numbers a little wrong, but the same text the same way.
            table => assert!(table.is_some() && json(document).as_ref() == table, "{name}"),
        }
    }
});

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}
