//! `keyless.toml`: connections with names. Every one comes out as a document, and what is wrong is said without a value.

#![no_main]

use keyless_documents::{Format, Names, is_name, to_document};
use keyless_fuzz::shown::MARK;
use libfuzzer_sys::fuzz_target;

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
    for name in names.names() {
        let document = names.document(name).map_or("", |document| document);
        assert!(is_name(name), "{name}");
        // Print, then parse: a table came out as JSON that says what it says.
        if let Ok(table) = serde_json::from_str::<serde_json::Value>(document) {
            let again = serde_json::from_str::<serde_json::Value>(&table.to_string());
            assert_eq!(again.ok(), Some(table), "{name}");
        }
    }
    // It is TOML to whoever looks for one document in it, too.
    assert!(to_document(&text, Some(Format::Toml)).is_ok());
});
