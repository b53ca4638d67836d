//! JSON is read as serde_json reads it, and refused at the same place.

#![no_main]

use keyless_engine::json::{self, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let ours = json::parse(bytes);
    let theirs = serde_json::from_slice::<serde_json::Value>(bytes);
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{ours:?}, and serde_json reads {theirs:?}");
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert!(alike(&ours, &theirs), "{ours:?}, and serde_json reads {theirs:?}"),
        (Err(ours), Err(theirs)) => {
            let place = (theirs.is_eof(), theirs.line(), theirs.column());
            assert_eq!((ours.is_eof(), ours.line(), ours.column()), place, "{theirs}");
        }
        // As was just said.
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => {}
    }
});

fn alike(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Value::Number(a), serde_json::Value::Number(b)) => b.as_f64().is_some_and(|b| near(*a, b)),
        (Value::String(a), serde_json::Value::String(b)) => a == b,
        (Value::Array(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        // Ours keeps fields of one name apart until one of them is asked for.
        (Value::Object(a), serde_json::Value::Object(b)) => {
            a.keys().all(|name| b.contains_key(name))
                && b.iter().all(|(name, b)| a.get(name).is_some_and(|a| alike(a, b)))
        }
        _ => false,
    }
}

/// To the fifteenth digit, where a number is not so small that it has none; signs included.
fn near(a: f64, b: f64) -> bool {
    a.is_sign_negative() == b.is_sign_negative() && (a - b).abs() <= b.abs() * 1e-14 + f64::from_bits(1)
}
