//! The body of a request to a token endpoint: parameters in their order, as a form or as JSON.

use alloc::vec::Vec;

use form_urlencoded::byte_serialize;

use crate::json;
use crate::secret::SecretBytes;

/// Name and value of each parameter.
pub(super) type Parameters<'a> = Vec<(&'a str, &'a str)>;

/// Adds a parameter, where there is a value for it.
pub(super) fn push<'a>(parameters: &mut Parameters<'a>, name: &'a str, value: Option<&'a str>) {
    parameters.extend(value.map(|value| (name, value)));
}

/// How parameters are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `application/x-www-form-urlencoded` (RFC 6749, appendix B): what the standard asks for.
    Form,
    /// A JSON object of texts: what OpenAI and Anthropic ask for.
    Json,
}

/// No character takes more bytes, in either encoding (`\u001f`).
const WIDEST: usize = 6;

/// Quotes and separators around a parameter.
const AROUND: usize = 6;

impl Encoding {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Form => "application/x-www-form-urlencoded",
            Self::Json => "application/json",
        }
    }

    pub(crate) fn write(self, parameters: &[(&str, &str)]) -> SecretBytes {
        // Room for all of it beforehand: a vector that grows leaves pieces of the token behind.
        let mut body = SecretBytes::from(Vec::with_capacity(room(parameters)));
        for (index, (name, value)) in parameters.iter().enumerate() {
            match self {
                Self::Form => {
                    body.extend_from_slice(if index == 0 { b"" } else { b"&" });
                    append_form(&mut body, name);
                    body.push(b'=');
                    append_form(&mut body, value);
                }
                Self::Json => {
                    body.push(if index == 0 { b'{' } else { b',' });
                    json::append_text(&mut body, name);
                    body.push(b':');
                    json::append_text(&mut body, value);
                }
            }
        }
        if self == Self::Json {
            body.push(b'}');
        }
        body
    }
}

/// What the parameters can take at most.
fn room(parameters: &[(&str, &str)]) -> usize {
    parameters.iter().map(|(name, value)| WIDEST * (name.len() + value.len()) + AROUND).sum()
}

fn append_form(body: &mut Vec<u8>, text: &str) {
    byte_serialize(text.as_bytes()).for_each(|part| body.extend_from_slice(part.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETERS: [(&str, &str); 2] = [("a b", "1+2 \"\u{1}é"), ("c", "x-y_z.~*")];

    #[test]
    fn parameters_keep_their_order_and_are_escaped() {
        let form = Encoding::Form.write(&PARAMETERS);
        assert_eq!(str::from_utf8(&form), Ok("a+b=1%2B2+%22%01%C3%A9&c=x-y_z.%7E*"));
        let json = Encoding::Json.write(&PARAMETERS);
        assert_eq!(str::from_utf8(&json), Ok(r#"{"a b":"1+2 \"\u0001é","c":"x-y_z.~*"}"#));
    }

    #[test]
    fn the_room_is_never_outgrown_and_no_more_than_that() {
        let value = "\u{1}".repeat(1_000);
        for encoding in [Encoding::Form, Encoding::Json] {
            for parameters in [vec![("assertion", value.as_str()), ("n", "")], vec![("", ""), ("n", &value)]]
            {
                let (body, room) = (encoding.write(&parameters), room(&parameters));
                assert!(body.len() <= room, "{} of {room}", body.len());
                assert!(room < 6_100, "{room}");
            }
        }
    }
}
