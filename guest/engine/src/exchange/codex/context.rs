//! The workload identity context: what a workload says of itself for the audit log. It opens nothing, but a bad one makes
//! the exchange fail with an opaque `invalid_grant`, so it is checked beforehand.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{self, Map, Value};

use crate::error::{Code, Error};
use crate::fields::Fields;

/// In bytes, as JSON.
const LIMIT: usize = 1_024;

/// JSON text, or an object that is written as such.
pub(super) fn read(fields: &mut Fields<'_>, key: &'static str) -> Result<Option<String>, Error> {
    let (text, value) = match fields.take(key) {
        None => return Ok(None),
        Some(Value::String(text)) => (Some(text.trim().to_owned()), json::parse(text.as_bytes()).ok()),
        Some(value) => (written(&value), Some(value)),
    };
    let fault = |fault: &str| fields.fault(Code::FieldValue, key, fault);
    let Some(Value::Object(context)) = value else {
        return Err(fault("is not a JSON object, nor a text that holds one"));
    };
    check(&context).map_err(fault)?;
    let Some(text) = text else {
        return Err(fault("holds something other than texts; write it as a text that holds the JSON"));
    };
    if text.len() > LIMIT {
        return Err(fault("exceeds 1024 bytes as JSON; say less"));
    }
    Ok(Some(text))
}

fn check(context: &Map) -> Result<(), &'static str> {
    if !context.get("instance_id").is_some_and(|id| is_text(id, 128)) {
        return Err("has no `instance_id` of 1 to 128 characters");
    }
    if !context.get("display_name").is_none_or(|name| is_text(name, 128)) {
        return Err("has a `display_name` that is not a text of 1 to 128 characters");
    }
    match context.get("labels") {
        None => Ok(()),
        Some(Value::Object(labels))
            if labels.len() <= 8
                && labels.iter().all(|(key, value)| key.chars().count() <= 64 && is_text(value, 256)) =>
        {
            Ok(())
        }
        Some(_) => {
            Err("has `labels` that are not at most 8 texts, names up to 64 and values up to 256 characters")
        }
    }
}

/// As JSON, where it consists of texts, as everything does that is documented.
fn written(value: &Value) -> Option<String> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    String::from_utf8(out).ok()
}

fn write(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::String(text) => json::append_text(out, text),
        Value::Object(map) => {
            out.push(b'{');
            for (index, (name, value)) in map.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { b"," });
                json::append_text(out, name);
                out.push(b':');
                write(value, out)?;
            }
            out.push(b'}');
        }
        _ => return None,
    }
    Some(())
}

fn is_text(value: &Value, limit: usize) -> bool {
    value.as_str().is_some_and(|text| (1..=limit).contains(&text.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Warnings;

    fn context(value: &str) -> Result<Option<String>, Error> {
        let warnings = Warnings::default();
        let mut map = Map::new();
        map.insert("context".to_owned(), json::parse(value.as_bytes()).unwrap());
        read(&mut Fields::new("", map, &warnings), "context")
    }

    #[test]
    fn text_is_sent_as_written_and_an_object_compactly() {
        let text = r#"{ "instance_id": "pod-1", "more": [1] }"#;
        assert_eq!(context(&serde_json::to_string(text).unwrap()).unwrap().as_deref(), Some(text));
        let object = r#"{"instance_id":"a","display_name":"b\n","labels":{"c":"d"}}"#;
        assert_eq!(context(&object.replace(':', " : ")).unwrap().as_deref(), Some(object));
        assert_eq!(context("null").unwrap(), None);
    }

    #[test]
    fn what_the_endpoint_would_refuse_is_refused_here() {
        let long = "x".repeat(129);
        let labels = (0..9).map(|n| format!(r#""{n}":"v""#)).collect::<Vec<_>>().join(",");
        for (value, word) in [
            (r#""CANARY""#, "not a JSON object"),
            ("1", "not a JSON object"),
            ("{}", "instance_id"),
            (&format!(r#"{{"instance_id":"{long}"}}"#), "instance_id"),
            (r#"{"instance_id":"a","display_name":""}"#, "display_name"),
            (&format!(r#"{{"instance_id":"a","labels":{{{labels}}}}}"#), "labels"),
            (r#"{"instance_id":"a","labels":{"k":1}}"#, "labels"),
            (r#"{"instance_id":"a","more":1}"#, "other than texts"),
            (&format!(r#"{{"instance_id":"a","more":"{}"}}"#, "x".repeat(1_024)), "1024 bytes"),
        ] {
            let error = context(value).unwrap_err();
            assert_eq!(error.code(), Code::FieldValue);
            assert!(error.message().contains(word) && !error.message().contains("CANARY"), "{error}");
        }
    }

    #[test]
    fn the_limits_themselves_are_allowed() {
        let labels = |count: usize, name: usize, value: usize| {
            let mut labels: Vec<_> = (1..count).map(|n| format!(r#""{n}":"v""#)).collect();
            labels.push(format!(r#""{}":"{}""#, "n".repeat(name), "v".repeat(value)));
            context(&format!(r#"{{"instance_id":"a","labels":{{{}}}}}"#, labels.join(",")))
        };
        assert!(labels(8, 64, 256).is_ok());
        assert!(labels(8, 1, 1).is_ok());
        for (count, name, value) in [(9, 1, 1), (1, 65, 1), (1, 1, 257), (1, 1, 0)] {
            let error = labels(count, name, value).unwrap_err();
            assert!(error.message().contains("labels"), "{error}");
        }
        let as_long_as = |length: usize| {
            let around = r#"{"instance_id":"a","more":""}"#.len();
            context(&format!(r#"{{"instance_id":"a","more":"{}"}}"#, "x".repeat(length - around)))
        };
        assert_eq!(as_long_as(1_024).unwrap().map(|text| text.len()), Some(1_024));
        assert!(as_long_as(1_025).unwrap_err().message().contains("1024 bytes"));
    }
}
