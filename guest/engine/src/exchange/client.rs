//! How a client shows who it is to a token endpoint (RFC 6749, section 2.3), beside the identity token itself.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::Value;
use base64ct::{Base64, Encoding as _};
use form_urlencoded::byte_serialize;

use crate::error::{Code, Error};
use crate::exchange::body::Parameters;
use crate::fields::Fields;
use crate::plan::{Origin, Plan};
use crate::secret::{Secret, SecretBytes};
use crate::variables::Variables;

/// A client, where the endpoint knows clients.
pub(super) struct Client {
    id: Option<String>,
    secret: Option<ClientSecret>,
}

struct ClientSecret {
    value: Secret,
    variable: String,
    in_body: bool,
}

impl Client {
    /// `client_authentication`, `client_id`, and `client_secret`, which is only ever the name of a variable.
    pub(super) fn read(fields: &mut Fields<'_>, variables: &Variables) -> Result<Self, Error> {
        // The variable is asked for whatever else is wrong.
        let secret = client_secret(fields, variables);
        let method = fields.filled_text("client_authentication")?;
        let id = fields.filled_text("client_id")?;
        let secret = secret?;
        let in_body = match method.as_deref() {
            Some("none") if secret.is_some() => {
                return Err(fields.fault(
                    Code::FieldConflict,
                    "client_authentication",
                    "is `none`, but there is a `client_secret`; remove one of them",
                ));
            }
            // RFC 6749, section 2.3.1: `basic` is the one that every server knows.
            None | Some("none" | "basic") => false,
            Some("post") => true,
            Some(_) => {
                return Err(fields.fault(
                    Code::FieldValue,
                    "client_authentication",
                    "is none of `none`, `basic` and `post`",
                ));
            }
        };
        let wanted = secret.is_some() || matches!(method.as_deref(), Some("basic" | "post"));
        if wanted && id.is_none() {
            return Err(fields.missing("client_id"));
        }
        if wanted && secret.is_none() {
            return Err(fields.missing("client_secret"));
        }
        let secret = secret.map(|(value, variable)| ClientSecret { value, variable, in_body });
        Ok(Self { id, secret })
    }

    /// Whether it has a secret.
    pub(super) fn authenticates(&self) -> bool {
        self.secret.is_some()
    }

    pub(super) fn describe(&self, plan: &mut Plan) {
        plan.set_if("exchange.client_id", self.id.as_deref());
        if let Some(secret) = &self.secret {
            plan.set(
                "exchange.client_authentication",
                if secret.in_body { "post" } else { "basic" },
                Origin::Document,
            );
            plan.set_secret(
                "exchange.client_secret",
                &secret.value,
                Origin::Variable(secret.variable.clone()),
            );
        }
    }

    /// What stands in the body.
    pub(super) fn parameters<'a>(&'a self, parameters: &mut Parameters<'a>) {
        let in_header = self.secret.as_ref().is_some_and(|secret| !secret.in_body);
        if let (Some(id), false) = (&self.id, in_header) {
            parameters.push(("client_id", id));
        }
        if let Some(secret) = self.secret.as_ref().filter(|secret| secret.in_body) {
            parameters.push(("client_secret", secret.value.expose()));
        }
    }

    /// What stands in the header.
    pub(super) fn headers(&self) -> Vec<(&'static str, Secret)> {
        match (&self.id, &self.secret) {
            (Some(id), Some(secret)) if !secret.in_body => {
                vec![("authorization", basic(id, secret.value.expose()))]
            }
            _ => Vec::new(),
        }
    }
}

/// Both halves form-encoded, so that neither can hold the colon (RFC 6749, section 2.3.1).
fn basic(id: &str, secret: &str) -> Secret {
    let mut pair = SecretBytes::from(Vec::with_capacity(3 * (id.len() + secret.len()) + 1));
    byte_serialize(id.as_bytes()).for_each(|part| pair.extend_from_slice(part.as_bytes()));
    pair.push(b':');
    byte_serialize(secret.as_bytes()).for_each(|part| pair.extend_from_slice(part.as_bytes()));
    Secret::new(Base64::encode_string(&pair)).prefixed("Basic ")
}

/// The value and the variable that holds it.
fn client_secret(fields: &mut Fields<'_>, variables: &Variables) -> Result<Option<(Secret, String)>, Error> {
    const KEY: &str = "client_secret";
    match fields.take(KEY) {
        None => Ok(None),
        Some(Value::Object(map)) => {
            let mut reference = fields.inside(KEY, map);
            let variable = reference.required_text("variable")?;
            reference.finish();
            let value = variables.get(&variable).ok_or_else(|| {
                let fault = format!("is to come from the variable `{variable}`, which is not set");
                fields.fault(Code::FieldMissing, KEY, &fault)
            })?;
            Ok(Some((Secret::new(value.expose().trim().to_owned()), variable)))
        }
        Some(_) => Err(fields.fault(
            Code::FieldType,
            KEY,
            "has to be {\"variable\": NAME}; a secret does not belong into a document",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::basic;

    #[test]
    fn neither_half_of_basic_can_hold_the_colon() {
        // printf 'a%%3Ab:c+d%%25' | base64
        assert_eq!(basic("a:b", "c d%").expose(), "Basic YSUzQWI6YytkJTI1");
    }
}
