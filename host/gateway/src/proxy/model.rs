//! Which model a request asks for: the `model` of its JSON body, or of its query.
//!
//! The upstream reads the same bytes with a parser of its own. So whatever two parsers may understand differently (`model`
//! twice, or written `Model`, which some take for the same) is refused.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, de};

use crate::path;

/// What a request says about its model.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Nothing.
    No,
    /// This one.
    Model(String),
    /// Something that could be read in two ways, or not at all. For the client.
    Unclear(&'static str),
}

/// The `model` of a JSON object.
pub(super) fn of_body(body: &[u8]) -> Named {
    match serde_json::from_slice::<Body>(body) {
        Ok(Body(named)) => named,
        Err(_) => Named::Unclear("the body is not one JSON object in UTF-8, so its model cannot be told"),
    }
}

/// The `model` of a query, as WebSocket clients name it.
pub(super) fn of_query(query: Option<&str>) -> Named {
    let mut found = Named::No;
    for pair in query.unwrap_or_default().split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(key) = form_decode(key) else {
            return Named::Unclear("the query is not percent-encoded UTF-8, so its model cannot be told");
        };
        if !key.eq_ignore_ascii_case("model") {
            continue;
        }
        match (form_decode(value), found) {
            (Some(model), Named::No) if key == "model" => found = Named::Model(model),
            _ => return Named::Unclear("the query names its model twice, or not as `model`"),
        }
    }
    found
}

fn form_decode(text: &str) -> Option<String> {
    String::from_utf8(path::decode(&text.replace('+', " "))?).ok()
}

struct Body(Named);

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Body;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Body, A::Error> {
        let mut named = Named::No;
        while let Some(key) = object.next_key::<String>()? {
            if !key.eq_ignore_ascii_case("model") {
                object.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: serde_json::Value = object.next_value()?;
            named = match (value, named) {
                (serde_json::Value::String(model), Named::No) if key == "model" => Named::Model(model),
                (serde_json::Value::String(_), _) => {
                    Named::Unclear("the body names its model twice, or not as `model`")
                }
                _ => return Err(de::Error::custom("`model` is no text")),
            };
        }
        Ok(Body(named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str) -> Named {
        Named::Model(name.to_owned())
    }

    #[test]
    fn the_model_of_a_body() {
        assert_eq!(of_body(br#"{"model": "a", "input": {"model": "b"}}"#), model("a"));
        assert_eq!(of_body(br#"{"input": [1, {"x": []}], "mod\u0065l": "a"}"#), model("a"));
        assert_eq!(of_body(b"{}"), Named::No);
        for body in [
            &br#"{"model": "a", "model": "b"}"#[..],
            br#"{"model": "a", "mod\u0065l": "b"}"#,
            br#"{"model": "a", "Model": "b"}"#,
            br#"{"MODEL": "b"}"#,
            br#"{"model": ["a"]}"#,
            br#"{"model": null}"#,
            br#"{"model": "a"} {"model": "b"}"#,
            br#"[{"model": "a"}]"#,
            br#"{"model": "a""#,
            b"\xef\xbb\xbf{\"model\": \"a\"}",
            b"{\x00\"\x00m\x00",
            b"model=a",
            b"\x1f\x8b\x08",
        ] {
            assert!(matches!(of_body(body), Named::Unclear(_)), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn the_model_of_a_query() {
        assert_eq!(of_query(None), Named::No);
        assert_eq!(of_query(Some("a=b&models=x")), Named::No);
        assert_eq!(of_query(Some("a=b&model=gpt%2D4")), model("gpt-4"));
        assert_eq!(of_query(Some("%6dodel=x")), model("x"));
        for query in
            ["model=a&model=b", "model=a&m%6fdel=b", "Model=a", "model=%ff", "model=%2", "%zz=1&model=a"]
        {
            assert!(matches!(of_query(Some(query)), Named::Unclear(_)), "{query}");
        }
    }
}
