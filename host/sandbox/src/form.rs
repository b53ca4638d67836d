//! Reads `application/x-www-form-urlencoded` text (WHATWG URL, section 5.1), in queries and in bodies, strictly.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Uri};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The media type of such a body.
const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Names and values in their order. No name comes twice.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The error is a clause for people.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(text).map_err(|_| "it is not ASCII")?;
        let mut fields: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or("a parameter has no `=`")?;
            let (name, value) = (decoded(name)?, decoded(value)?);
            if fields.iter().any(|(known, _)| *known == name) {
                return Err("a parameter comes twice");
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// The query of a request.
    pub(crate) fn of_query(uri: &Uri) -> Result<Self, &'static str> {
        Self::parse(uri.query().unwrap_or_default().as_bytes())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A name that is none of these.
    pub(crate) fn beyond(&self, known: &[&str]) -> Option<&str> {
        self.names().find(|name| !known.contains(name))
    }

    /// An object of texts.
    pub(crate) fn to_json(&self) -> Value {
        self.0.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// Whether the headers announce a form, whatever the parameters of the media type.
pub(crate) fn announced(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(MEDIA_TYPE)
}

fn decoded(part: &str) -> Result<String, &'static str> {
    const MALFORMED: &str = "a percent sign is not followed by two hexadecimal digits";
    for (_, rest) in part.match_indices('%').filter_map(|(at, _)| part.split_at_checked(at + 1)) {
        let digits = rest.as_bytes().get(..2).ok_or(MALFORMED)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(MALFORMED);
        }
    }
    let reserved = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'"' | b'<' | b'>' | b'#');
    if part.bytes().any(reserved) {
        return Err("a character should have been percent-encoded");
    }
    let spaced = part.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().map_err(|_| "a value is not UTF-8")?;
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Form;

    #[test]
    fn decodes() {
        let form = Form::parse(b"a=b+c%2Bd&&e=&%C3%A4=%E2%82%AC").ok().map(|form| form.to_json());
        assert_eq!(form, Some(json!({"a": "b c+d", "e": "", "\u{e4}": "\u{20ac}"})));
    }

    #[test]
    fn refuses() {
        for text in ["a", "a=1&a=2", "a=%", "a=%2", "a=%+f", "a=b c", "a=\u{e4}", "a=%ff", "a=\""] {
            assert!(Form::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
