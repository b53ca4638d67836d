//! JSON as documents, tokens and answers have it.
//!
//! Objects here have a handful of fields: a list is quicker than a tree and a twentieth of the component smaller, and keeps
//! the author's order.

mod reader;

pub use reader::Fault;

use alloc::string::String;
use alloc::vec::Vec;

use crate::secret::{Secret, SecretBytes};
use reader::Reader;

/// Any JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Exact up to 2^53, as everywhere but in a few languages.
    Number(f64),
    /// A text.
    String(String),
    /// A list.
    Array(Vec<Self>),
    /// An object.
    Object(Map),
}

/// The fields of an object, in the order in which they were written. Of several with one name the last counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(Vec<(String, Value)>);

/// Reads one value and nothing after it.
pub fn parse(text: &[u8]) -> Result<Value, Fault> {
    Reader::new(text).whole()
}

impl Value {
    /// The field of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(map) => map.get(name),
            _ => None,
        }
    }

    /// A text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// A number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl Map {
    /// Without fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// One more field.
    pub fn insert(&mut self, name: String, value: Value) {
        self.0.push((name, value));
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// Whether there is such a field.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let mut found = None;
        while let Some(at) = self.0.iter().rposition(|(other, _)| other == name) {
            let (_, value) = self.0.remove(at);
            found.get_or_insert(value);
        }
        found
    }

    /// Every name.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Every field.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it is `{}`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Map {
    type Item = (String, Value);
    type IntoIter = alloc::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Writes a value as JSON. `room`: bytes that it takes at most; more is no mistake, but may leave pieces of a secret behind.
#[must_use]
pub fn text(value: &Value, room: usize) -> Secret {
    let mut out = SecretBytes::from(Vec::with_capacity(room));
    append(&mut out, value);
    // Made of nothing but texts and ASCII.
    Secret::new(String::from_utf8(core::mem::take(&mut *out)).unwrap_or_default())
}

fn append(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => append_number(out, *number),
        Value::String(text) => append_text(out, text),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                append(out, item);
            }
            out.push(b']');
        }
        Value::Object(map) => {
            out.push(b'{');
            for (index, (name, item)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                append_text(out, name);
                out.push(b':');
                append(out, item);
            }
            out.push(b'}');
        }
    }
}

/// Whole digits and a power of ten, to the fifteen digits that documents have. By hand: the standard library's writing of every
/// float there is would be 14 KB of the filter.
fn append_number(out: &mut Vec<u8>, number: f64) {
    /// From here on every number is whole.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    // None of JSON's, so nobody wrote it; and nobody is to read another number instead.
    if !number.is_finite() {
        return out.extend_from_slice(b"NaN");
    }
    let (mut digits, mut exponent) = (number.abs(), 0);
    while digits > WHOLE {
        digits /= 10.0;
        exponent += 1;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        reason = "not negative, and less than 2^53: exact"
    )]
    let whole = loop {
        let whole = digits as u64;
        if whole as f64 == digits {
            break whole;
        }
        digits *= 10.0;
        exponent -= 1;
    };
    let sign = if number < 0.0 { "-" } else { "" };
    out.extend_from_slice(format!("{sign}{whole}").as_bytes());
    if exponent != 0 {
        out.extend_from_slice(format!("e{exponent}").as_bytes());
    }
}

/// Adds a text in its quotes (RFC 8259, section 7). By hand, because `serde_json` writes into what grows, and what grows
/// leaves pieces of a secret behind: here the room is there beforehand.
pub(crate) fn append_text(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(br"\n"),
            b'\r' => out.extend_from_slice(br"\r"),
            b'\t' => out.extend_from_slice(br"\t"),
            8 => out.extend_from_slice(br"\b"),
            12 => out.extend_from_slice(br"\f"),
            0..=31 => {
                out.extend_from_slice(br"\u00");
                out.extend([byte >> 4, byte & 15].iter().filter_map(|digit| HEX.get(usize::from(*digit))));
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_the_same() {
        let text = r#"{"b":[1,-2,0.5,1000,"é\n\"",null,true,false,[]],"a":{"c":{}},"b":1e21}"#;
        let value = parse(text.as_bytes()).unwrap();
        let written = super::text(&value, text.len());
        assert_eq!(parse(written.expose().as_bytes()).unwrap(), value, "{}", written.expose());
        let start = r#"{"b":[1,-2,5e-1,1000,"é\n\"",null,true,false,[]],"a":{"c":{}},"b":1"#;
        assert!(written.expose().starts_with(start), "{}", written.expose());
    }

    #[test]
    fn numbers_of_fifteen_digits_read_the_same() {
        for number in
            [0.0, -0.0, 0.1, -1.25, 123_456_789_012_345.0, 0.123_456_789_012_345, 1e15, 1e300, 3e-7, 1.7e308]
        {
            let written = text(&Value::Number(number), 32);
            let read = written.expose().parse::<f64>().unwrap();
            let off = (read - number).abs() / number.abs().max(f64::MIN_POSITIVE);
            assert!(off <= 1e-14, "{number}: {}", written.expose());
        }
        for none in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(parse(text(&Value::Number(none), 8).expose().as_bytes()).is_err());
        }
    }

    #[test]
    fn of_several_fields_with_one_name_the_last_counts() {
        let Value::Object(mut map) = parse(br#"{"a":1,"b":2,"a":3}"#).unwrap() else { panic!() };
        assert_eq!(map.get("a"), Some(&Value::Number(3.0)));
        assert_eq!(map.remove("a"), Some(Value::Number(3.0)));
        assert_eq!(map.remove("a"), None);
        assert_eq!(map.keys().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn texts_are_escaped_as_serde_json_escapes_them() {
        let every: String = (0..=0x2ff).filter_map(char::from_u32).chain("\u{2028}𝄞\\\"/".chars()).collect();
        let mut out = Vec::new();
        append_text(&mut out, &every);
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&every).unwrap());
    }
}
