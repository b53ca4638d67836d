//! Beside serde_json, which reads the same, refuses the same, and finds the fault at the same place.

use alloc::string::String;
use alloc::vec::Vec;

use super::super::{Value, parse};

/// What documents, tokens and answers look like, and what nobody sends.
const TEXTS: &[&str] = &[
    r#"{"b":[1,-2,0.5,1e3,"\u00e9\n",null,true],"a":{"c":{}}}"#,
    r#" {"source" : {"type": "kubernetes"}, "refresh_buffer_seconds" : 1200.25 , "x": [ ] , "y":[[],{}] } "#,
    "{\n  \"access_token\": \"ey\\\"J\\\\\\/\\b\\f\\n\\r\\t.\",\n  \"expires_in\": 3599,\n  \"ok\": false\n}\n",
    r#"["\ud834\udd1e", "\ud834", "\udd1e", "\ud834\n", "\ud834\ud834", "\u12", "\uzzzz", "𝄞é"]"#,
    "[0, -0, 0.0, 10, 9007199254740993, 18446744073709551615, 18446744073709551616, 184467440737095516150.5e2]",
    "[1e22, 1e-22, 5e-324, 1e-400, 123456789012345678e-320, 1.7e308, 0e999, 0.00001e5, 1E+2, 12.50e-1]",
    "[1e2147483647, 1e-2147483648, 0e2147483648, 1.0e99999999999, 00, 01, -, -a, 1., 1.e, 1e, 1e+, .5, +1]",
    "nul",
    "true",
    "tru ",
    "falsy",
    "\"\u{1}\"",
    "\"a\nb\"",
    "",
    " ",
    "\u{feff}{}",
    "{\"a\":1,}",
    "[1,]",
    "[,]",
    "{,}",
    "{1:2}",
];

#[test]
fn every_text_reads_as_serde_json_reads_it() {
    for text in TEXTS {
        same(text.as_bytes());
        // Cut off anywhere, and from anywhere.
        for at in 0..text.len() {
            same(&text.as_bytes()[..at]);
            same(&text.as_bytes()[at..]);
        }
    }
    for depth in [126, 127, 128, 129] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            same(format!("{}1{}", open.repeat(depth), close.repeat(depth)).as_bytes());
            same(open.repeat(depth).as_bytes());
        }
    }
    assert!(parse("[".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn so_does_every_text_with_a_few_other_bytes() {
    const BYTES: &[u8] = b"\"\\{}[]:,.-+0123456789eEu /bfnrtl\n\t\x00\x1f\x7f\x80\xc3\xa9\xff";
    let mut state = 1_u64;
    let mut below = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end
    };
    for _ in 0..60_000 {
        let mut text: Vec<u8> = TEXTS[below(TEXTS.len())].into();
        for _ in 0..=below(3) {
            let (at, byte) = (below(text.len() + 1), BYTES[below(BYTES.len())]);
            match below(3) {
                0 => text.insert(at, byte),
                1 if at < text.len() => text[at] = byte,
                _ if at < text.len() => drop(text.remove(at)),
                _ => {}
            }
        }
        same(&text);
    }
}

fn same(text: &[u8]) {
    let (ours, theirs) = (parse(text), serde_json::from_slice::<serde_json::Value>(text));
    let shown = String::from_utf8_lossy(text);
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert!(alike(ours, theirs), "{shown}: {ours:?}, and serde_json reads {theirs}");
        }
        (Err(ours), Err(theirs)) => assert_eq!(
            (ours.is_eof(), ours.line(), ours.column()),
            (theirs.is_eof(), theirs.line(), theirs.column()),
            "{shown}: {theirs}"
        ),
        _ => panic!("{shown}: {ours:?}, and serde_json reads {theirs:?}"),
    }
}

fn alike(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Value::Number(a), serde_json::Value::Number(b)) => near(*a, b.as_f64().unwrap()),
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

#[test]
fn numbers_as_people_write_them_are_exact() {
    for text in
        ["0", "-0", "0.1", "1.25", "-1e3", "3599.999", "123456789012345", "9007199254740992", "1e22", "5e-7"]
    {
        assert_eq!(parse(text.as_bytes()).unwrap().as_f64(), text.parse().ok(), "{text}");
    }
}
