//! An identity token from an identity domain of Oracle Cloud, for a confidential application with the client credentials
//! grant (RFC 6749, section 4.4; Oracle, "REST API for Oracle Identity Cloud Service: Generate Access Token").
//!
//! What it needs is granted by the document: the endpoint `POST https://DOMAIN/oauth2/v1/token`, the file with the client
//! secret, and these variables:
//!
//! - `ORACLE_DOMAIN_URL`: `https://idcs-....identity.oraclecloud.com`;
//! - `ORACLE_CLIENT_ID`;
//! - `ORACLE_CLIENT_SECRET_FILE`: the path of that file;
//! - `ORACLE_SCOPE`: by default all that the application was granted.

#![cfg(target_arch = "wasm32")]

mod file;
mod post;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use wasi::cli::environment::get_environment;

#[expect(unsafe_code, reason = "generated")]
#[allow(missing_docs, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package keyless:credentials@0.1.0;

            interface subject-token-source {
              token: func(audience: option<string>) -> result<string, string>;
            }

            world source {
              export subject-token-source;
            }
        ",
    });

    export!(Oracle with_types_in self);

    use super::Oracle;
}

/// What an application was granted, all of it.
const ALL_SCOPES: &str = "urn:opc:idm:__myscopes__";

struct Oracle;

impl bindings::exports::keyless::credentials::subject_token_source::Guest for Oracle {
    /// The scope decides about the audience, so a document's `audience` is only compared afterwards.
    fn token(_: Option<String>) -> Result<String, String> {
        let url = format!("{}/oauth2/v1/token", variable("ORACLE_DOMAIN_URL")?.trim_end_matches('/'));
        let secret = file::read(&variable("ORACLE_CLIENT_SECRET_FILE")?)?;
        let client = format!("{}:{}", variable("ORACLE_CLIENT_ID")?, secret.trim());
        let scope = variable("ORACLE_SCOPE").unwrap_or_else(|_| ALL_SCOPES.to_owned());
        let answer = post::form(
            &url,
            &format!("Basic {}", STANDARD.encode(client)),
            &format!("grant_type=client_credentials&scope={}", scope.replace(':', "%3A").replace(' ', "+")),
        )?;
        match serde_json::from_slice(&answer) {
            Ok(Value::Object(fields)) => match fields.get("access_token") {
                Some(Value::String(token)) => Ok(token.clone()),
                _ => Err(format!("{url} answered without an access_token")),
            },
            _ => Err(format!("{url} did not answer with a JSON object")),
        }
    }
}

fn variable(name: &str) -> Result<String, String> {
    let found = get_environment().into_iter().find(|(other, value)| other == name && !value.is_empty());
    found.map(|(_, value)| value).ok_or_else(|| format!("{name} is not set, or not in `source.variables`"))
}
