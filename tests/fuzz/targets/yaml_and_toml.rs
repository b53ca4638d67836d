//! Documents in YAML and TOML: what comes out is one JSON object, and reads the same once more as YAML, of which JSON is
//! a part. The first byte says what the file's extension would.

#![no_main]

use keyless_documents::{Format, to_document};
use keyless_fuzz::shown;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

/// Deeper than the reader goes, which counts the outermost as one.
const DEPTH: usize = 32;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let format =
        [None, Some(Format::Yaml), Some(Format::Toml)].get(usize::from(*first) % 3).copied().flatten();
    let text = String::from_utf8_lossy(rest);
    let document = match to_document(&text, format) {
        Ok(document) => document,
        Err(fault) => {
            assert!(!fault.what.is_empty() && !fault.next.is_empty());
            return shown::holds_no_secret(&fault.what);
        }
    };
    let plain = text.trim_start_matches('\u{feff}');
    if *document == *plain {
        // JSON and URIs are for the component to read, as they stand.
        return;
    }
    let object = serde_json::from_str::<Map<String, Value>>(&document);
    assert!(object.is_ok(), "{} is no object", *document);
    let object = object.unwrap_or_default();
    let again = to_document(&document, Some(Format::Yaml));
    if depth(&Value::Object(object.clone())) <= DEPTH && !document.contains("://") {
        let again = again.ok().and_then(|again| serde_json::from_str::<Map<String, Value>>(&again).ok());
        assert_eq!(again.as_ref(), Some(&object), "{}", *document);
    }
});

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
