//! The keys that sign a request (AWS general reference, "AWS security credentials").

use crate::json::{self, Map, Value};

use crate::error::{Code, Error};
use crate::secret::Secret;

/// Both halves, and the session token where the keys are temporary. All of them fit into a header.
pub(super) struct Keys {
    pub(super) access_key_id: Secret,
    pub(super) secret_access_key: Secret,
    pub(super) session_token: Option<Secret>,
}

impl Keys {
    /// Out of an answer; `field` finds a field of it, `place` names it for the error.
    pub(super) fn from_answer(
        field: &mut dyn FnMut(&str) -> Option<Secret>,
        session_token: &str,
        place: &str,
    ) -> Result<Self, Error> {
        let mut required = |name: &str| {
            field(name).filter(Secret::fits_header).ok_or_else(|| {
                Error::new(
                    Code::ResponseUnexpected,
                    format_args!(
                        "{place} answered without a usable `{name}`; check what stands behind that address"
                    ),
                )
            })
        };
        Ok(Self {
            access_key_id: required("AccessKeyId")?,
            secret_access_key: required("SecretAccessKey")?,
            session_token: Some(required(session_token)?),
        })
    }

    /// The JSON that container and instance metadata answer with alike.
    pub(super) fn from_json(body: &[u8], place: &str) -> Result<Self, Error> {
        let mut body = match json::parse(body) {
            Ok(Value::Object(body)) => body,
            _ => Map::new(),
        };
        if body.get("Code").and_then(Value::as_str).is_some_and(|code| code != "Success") {
            return Err(Error::new(
                Code::TokenNotGiven,
                format_args!(
                    "{place} has no credentials for the role: it cannot be assumed; check that the role exists and that its trust policy allows this service"
                ),
            ));
        }
        // Taken out, so that no copy stays behind.
        let mut field = |name: &str| match body.remove(name)? {
            Value::String(text) => Some(Secret::new(text)),
            _ => None,
        };
        Self::from_answer(&mut field, "Token", place)
    }
}
