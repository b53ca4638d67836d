//! YAML 1.2 to JSON, by the core schema: `no` is text, `007` is a mistake.
//!
//! What JSON cannot say is refused with its place instead of being guessed at: aliases (a short text could grow without
//! bound), tags, keys that are not text, numbers without a JSON form. Several documents are one only if
//! they are Kubernetes' objects, as `kubectl` takes them: a `List`.

use std::borrow::Cow;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};
use serde_json::{Map, Number, Value};

use super::{Fault, Tree};

/// Deeper documents are a mistake or an attack; the component's own limit is not far above.
const DEPTH: usize = 32;

/// Reads a YAML document whose top is a mapping, or several that are Kubernetes' objects.
///
/// # Errors
/// Says the place and what is wrong there, and quotes nothing.
pub(super) fn read(text: &str) -> Result<Tree, Fault> {
    let mut builder = Builder::default();
    let mut documents = Vec::new();
    let mut second = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| unreadable(&error))?;
        match event {
            Event::DocumentStart(_) => {
                if !documents.is_empty() {
                    second.get_or_insert(span);
                }
            }
            // An empty one, as a separator at the end of a file makes, says nothing.
            Event::DocumentEnd => {
                documents.extend(builder.done.take().filter(|document| !document.is_null()));
            }
            Event::Alias(_) => return Err(fault(&span, "uses an alias (`*`)", "write the value out")),
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return Err(fault(&span, "uses a tag (`!`)", "leave the tag out, and quote what is text"));
            }
            Event::Scalar(content, style, ..) => builder.scalar(content, style, &span)?,
            Event::SequenceStart(..) => builder.begin(Open::Sequence(Vec::new()), &span)?,
            Event::MappingStart(..) => builder.begin(Open::Mapping(Map::new(), None), &span)?,
            Event::SequenceEnd | Event::MappingEnd => builder.end(&span)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
        }
    }
    if let Some(second) = second.filter(|_| documents.len() > 1) {
        if !documents.iter().all(is_manifest) {
            return Err(fault(&second, "begins a second document", "put one connection in a file"));
        }
        let list =
            [("apiVersion", Value::from("v1")), ("kind", Value::from("List")), ("items", documents.into())];
        return Ok(Tree(list.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()));
    }
    match documents.pop() {
        Some(Value::Object(map)) => Ok(Tree(map)),
        _ => Err(Fault::new(
            "is neither a JSON object, nor a URI, nor a YAML or TOML mapping",
            "write `name: value` lines, a JSON object, or `openai://...`",
        )),
    }
}

fn is_manifest(document: &Value) -> bool {
    document.get("apiVersion").is_some() && document.get("kind").is_some()
}

/// Values that are being read, outermost first.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    done: Option<Value>,
}

enum Open {
    Sequence(Vec<Value>),
    /// With the key that waits for its value.
    Mapping(Map<String, Value>, Option<String>),
}

impl Builder {
    fn begin(&mut self, open: Open, span: &Span) -> Result<(), Fault> {
        if matches!(self.open.last(), Some(Open::Mapping(_, None))) {
            return Err(fault(span, "has a key that is not text", "use text as keys"));
        }
        if self.open.len() >= DEPTH {
            return Err(fault(span, "is nested too deeply", "check that it is the right file"));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self, span: &Span) -> Result<(), Fault> {
        match self.open.pop() {
            Some(Open::Sequence(items)) => self.value(Value::Array(items), span),
            Some(Open::Mapping(map, _)) => self.value(Value::Object(map), span),
            None => Ok(()),
        }
    }

    fn scalar(&mut self, content: Cow<'_, str>, style: ScalarStyle, span: &Span) -> Result<(), Fault> {
        let value = match style {
            ScalarStyle::Plain => plain(content, span)?,
            _ => Value::String(content.into_owned()),
        };
        self.value(value, span)
    }

    fn value(&mut self, value: Value, span: &Span) -> Result<(), Fault> {
        match (self.open.last_mut(), value) {
            (None, value) => self.done = Some(value),
            (Some(Open::Sequence(items)), value) => items.push(value),
            (Some(Open::Mapping(map, key)), value) => match key.take() {
                Some(key) => {
                    map.insert(key, value);
                }
                None => {
                    let Value::String(name) = value else {
                        return Err(fault(span, "has a key that is not text", "put the key in quotes"));
                    };
                    if map.contains_key(&name) {
                        return Err(fault(span, "has a key twice", "remove one of the two"));
                    }
                    *key = Some(name);
                }
            },
        }
        Ok(())
    }
}

/// An unquoted scalar, by YAML 1.2's core schema (section 10.3.2).
fn plain(content: Cow<'_, str>, span: &Span) -> Result<Value, Fault> {
    match content.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let unsigned = content.trim_start_matches(['+', '-']);
    if content.len() - unsigned.len() > 1 || !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Ok(Value::String(content.into_owned()));
    }
    let quote = |what: &str| Err(fault(span, what, "write it in quotes if it is text"));
    if matches!(unsigned, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return quote("has a number that JSON cannot express");
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = content.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            return match u64::from_str_radix(digits, radix) {
                Ok(number) => Ok(Value::from(number)),
                Err(_) => quote("has a number that is too large"),
            };
        }
    }
    if unsigned.bytes().all(|b| b.is_ascii_digit()) {
        if unsigned.len() > 1 && unsigned.starts_with('0') {
            return quote("has a number that begins with 0");
        }
        let digits = content.trim_start_matches('+');
        let number =
            digits.parse::<u64>().map(Value::from).or_else(|_| digits.parse::<i64>().map(Value::from));
        return number.or_else(|_| quote("has a number that is too large"));
    }
    // What is left that Rust reads as a number starts with a digit or a dot: YAML's floats, and nothing else.
    match content.parse().ok().map(Number::from_f64) {
        Some(Some(number)) => Ok(Value::Number(number)),
        Some(None) => quote("has a number that is too large"),
        None => Ok(Value::String(content.into_owned())),
    }
}

fn unreadable(error: &ScanError) -> Fault {
    let (line, column) = place(error.marker());
    // The parser's words name no content but, at most, one character.
    Fault::at(
        line,
        column,
        format!("is not valid YAML ({})", error.info()),
        "check the indentation and quotes there",
    )
}

fn fault(span: &Span, what: &str, next: &str) -> Fault {
    let (line, column) = place(&span.start);
    Fault::at(line, column, what, next)
}

/// Both from 1.
fn place(marker: &Marker) -> (usize, usize) {
    (marker.line().max(1), marker.col() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        read(text).unwrap_or_else(|_| panic!("valid")).to_json().to_string()
    }

    fn what(text: &str) -> String {
        read(text).err().expect("a fault").what
    }

    #[test]
    fn values_keep_their_types() {
        assert_eq!(
            json("a: x\nb: 1000\nc: 0xff\nd: -1.5e3\ne: True\nf: [1, 'y', ~]\ng:\n  h:\n    - i: \"1\"\n"),
            r#"{"a":"x","b":1000,"c":255,"d":-1500.0,"e":true,"f":[1,"y",null],"g":{"h":[{"i":"1"}]}}"#
        );
    }

    #[test]
    fn text_that_other_readers_take_for_something_else_stays_text() {
        assert_eq!(
            json(
                "a: no\nb: on\nc: 12:30\nd: 2026-11-21\ne: 1.2.3\nf: -\u{e9}\ng: 0xzz\nh: infinity\ni: +-1\nj: .\n"
            ),
            r#"{"a":"no","b":"on","c":"12:30","d":"2026-11-21","e":"1.2.3","f":"-é","g":"0xzz","h":"infinity","i":"+-1","j":"."}"#
        );
        assert_eq!(json("a: |\n  x\n  y\nb: >-\n  x\n  y\n"), r#"{"a":"x\ny\n","b":"x y"}"#);
    }

    #[test]
    fn what_json_lacks_is_refused_with_its_place() {
        for (text, expected) in [
            ("a: &x 1\nb: *x\n", "uses an alias (`*`) at line 2, column 4"),
            ("a: !!str 1\n", "uses a tag (`!`) at line 1, column 4"),
            ("a: 1\n2: b\n", "has a key that is not text at line 2, column 1"),
            ("[a]: b\n", "has a key that is not text at line 1, column 1"),
            ("a: .nan\n", "has a number that JSON cannot express at line 1, column 4"),
            ("a: 1\na: 2\n", "has a key twice at line 2, column 1"),
            ("a: 007\n", "has a number that begins with 0 at line 1, column 4"),
            ("a: 1e999\n", "has a number that is too large at line 1, column 4"),
            ("a: 99999999999999999999\n", "has a number that is too large at line 1, column 4"),
            ("a: 1\n---\nb: 2\n", "begins a second document at line 2, column 1"),
        ] {
            assert_eq!(what(text), expected, "{text}");
        }
        let deep = |depth| format!("a: {}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&deep(31)).is_ok());
        assert!(what(&deep(32)).starts_with("is nested too deeply"));
        assert!(read(&"[".repeat(60_000)).is_err());
        assert!(what("just text").starts_with("is neither"));
        assert!(what("").starts_with("is neither"));
    }

    #[test]
    fn objects_of_kubernetes_make_a_list() {
        let text = "---\napiVersion: v1\nkind: A\n---\napiVersion: v1\nkind: B\n---\n";
        let list = read(text).ok().unwrap().to_json();
        let expected = r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"A"},{"apiVersion":"v1","kind":"B"}]}"#;
        let (list, expected): (Value, Value) =
            (serde_json::from_str(&list).unwrap(), serde_json::from_str(expected).unwrap());
        assert_eq!(list, expected);
        // One of them alone is itself.
        assert!(read("---\napiVersion: v1\nkind: A\n---\n").ok().unwrap().object().contains_key("kind"));
        assert!(
            what("apiVersion: v1\nkind: A\n---\nb: 2\n").starts_with("begins a second document at line 3")
        );
    }

    #[test]
    fn a_fault_quotes_nothing() {
        for text in [
            "a: 'canary",
            "a: [canary",
            "a: \"\\canary\"",
            "canary: canary: canary",
            "%canary\n---\n",
            "a: *canary",
        ] {
            let fault = what(text);
            assert!(!fault.contains("canary"), "{fault}");
        }
    }
}
