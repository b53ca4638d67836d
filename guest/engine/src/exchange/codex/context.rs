//! The workload identity context: what a workload says of itself for the audit log. It opens nothing, but a bad one makes
//! the exchange fail with an opaque `invalid_grant`, so it is checked beforehand.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::string::ToString as _;

use serde_json::{Map, Value};

use crate::error::{Code, Error};
use crate::fields::Fields;

/// In bytes, as JSON.
const LIMIT: usize = 1_024;

/// JSON text, or an object that is written as such.
pub(super) fn read(fields: &mut Fields<'_>, key: &'static str) -> Result<Option<String>, Error> {
    let (text, object) = match fields.take(key) {
        None => return Ok(None),
        Some(Value::String(text)) => (text.trim().to_owned(), serde_json::from_str(&text).ok()),
        Some(value) => (value.to_string(), Some(value)),
    };
    let fault = |fault: &str| fields.fault(Code::FieldValue, key, fault);
    let Some(Value::Object(context)) = object else {
        return Err(fault("is not a JSON object, nor a text that holds one"));
    };
    if text.len() > LIMIT {
        return Err(fault("exceeds 1024 bytes as JSON; say less"));
    }
    check(&context).map_err(fault)?;
    Ok(Some(text))
}

fn check(context: &Map<String, Value>) -> Result<(), &'static str> {
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

fn is_text(value: &Value, limit: usize) -> bool {
    value.as_str().is_some_and(|text| (1..=limit).contains(&text.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Warnings;

    fn context(value: Value) -> Result<Option<String>, Error> {
        let warnings = Warnings::default();
        let map = [("context".to_owned(), value)].into_iter().collect();
        read(&mut Fields::new("", map, &warnings), "context")
    }

    #[test]
    fn text_is_sent_as_written_and_an_object_compactly() {
        let text = r#"{ "instance_id": "pod-1" }"#;
        assert_eq!(context(text.into()).unwrap().as_deref(), Some(text));
        let object = serde_json::json!({"instance_id": "a", "display_name": "b", "labels": {"c": "d"}});
        let written = context(object.clone()).unwrap().unwrap();
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), object);
        assert_eq!(context(Value::Null).unwrap(), None);
    }

    #[test]
    fn what_the_endpoint_would_refuse_is_refused_here() {
        let long = "x".repeat(129);
        let labels: Map<_, _> = (0..9).map(|n| (n.to_string(), Value::from("v"))).collect();
        for (value, word) in [
            (Value::from("CANARY"), "not a JSON object"),
            (Value::from(1), "not a JSON object"),
            (serde_json::json!({}), "instance_id"),
            (serde_json::json!({"instance_id": long}), "instance_id"),
            (serde_json::json!({"instance_id": "a", "display_name": ""}), "display_name"),
            (serde_json::json!({"instance_id": "a", "labels": labels}), "labels"),
            (serde_json::json!({"instance_id": "a", "labels": {"k": 1}}), "labels"),
            (serde_json::json!({"instance_id": "a", "more": "x".repeat(1_024)}), "1024 bytes"),
        ] {
            let error = context(value).unwrap_err();
            assert_eq!(error.code(), Code::FieldValue);
            assert!(error.message().contains(word) && !error.message().contains("CANARY"), "{error}");
        }
    }
}
