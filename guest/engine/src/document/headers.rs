//! Headers that a document adds to the credential.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{Code, Error};
use crate::fields::Fields;
use crate::json::Value;
use crate::secret::Secret;

/// Set by the credential itself, or by the connection on which a request travels.
const RESERVED: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "openai-organization",
    "openai-project",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Reads an object of header names and values. Names in lower case, in the order of their spelling in the document.
pub(super) fn read(mut fields: Fields<'_>) -> Result<Vec<(String, Secret)>, Error> {
    let mut headers: Vec<(String, Secret)> = Vec::new();
    for (name, value) in fields.rest() {
        let fault = |code, fault: &str| fields.fault(code, &name, fault);
        let lower = name.to_ascii_lowercase();
        if lower.is_empty() || !lower.bytes().all(is_token) {
            return Err(fault(Code::FieldValue, "is not a header name (RFC 9110: letters, digits and `-`)"));
        }
        if RESERVED.contains(&lower.as_str()) {
            return Err(fault(
                Code::FieldConflict,
                "is a header that the credential or the connection sets itself",
            ));
        }
        if headers.iter().any(|(other, _)| *other == lower) {
            return Err(fault(Code::FieldConflict, "is given twice, in different spellings"));
        }
        let Value::String(text) = value else {
            return Err(fault(Code::FieldType, "has to be a string, as every header value"));
        };
        let value = Secret::new(text);
        if !value.expose().bytes().all(|byte| matches!(byte, b' '..=b'~'))
            || value.expose().trim() != value.expose()
        {
            return Err(fault(Code::FieldValue, "has characters that cannot stand in a header value"));
        }
        headers.push((lower, value));
    }
    Ok(headers)
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
