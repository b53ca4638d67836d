//! The form in which Okta's connector for OpenAI keeps a connection: a nickname, an organization and a key.
//!
//! ```json
//! {"nickname": "research", "organization_id": "org-...", "api_key": {"variable": "RESEARCH_KEY"}}
//! ```
//!
//! In camel case as well, as exports have it. Several of them have names in `keyless.toml`; each has a key and a grant of
//! its own.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::api::{self, Api};
use crate::connection::{Auth, Connection, Located};
use crate::document::native;
use crate::error::{Code, Error};
use crate::fields::{Fields, Warnings};
use crate::json::Map;
use crate::plan::Origin;
use crate::variables::Variables;

/// Keys that only this form has.
pub(super) const KEYS: &[&str] = &["nickname", "organization_id", "organizationId", "apiKey"];

/// The other spellings of keys.
const SPELLINGS: [(&str, &str); 4] = [
    ("organizationId", "organization_id"),
    ("apiKey", "api_key"),
    ("projectId", "project_id"),
    ("baseUrl", "base_url"),
];

pub(super) fn read(
    mut map: Map,
    variables: &Variables,
    warnings: &Warnings,
) -> Result<Box<Connection>, Error> {
    for (camel, snake) in SPELLINGS {
        let Some(value) = map.remove(camel) else { continue };
        if map.contains_key(snake) {
            return Err(Error::new(
                Code::FieldConflict,
                format_args!("`{camel}` and `{snake}` are the same field; write one of them"),
            ));
        }
        map.insert(snake.to_owned(), value);
    }
    let mut document = Fields::new("", map, warnings);
    // First, because it may ask for a variable.
    let key = native::api_key(&mut document, variables);
    let nickname = document.filled_text("nickname")?;
    let located = |value| Located { value, origin: Origin::Document };
    let organization = document.header_text("organization_id")?;
    let project = document.header_text("project_id")?;
    let base_url = match document.url("base_url")? {
        Some(value) => Located { value, origin: Origin::Document },
        None => api::OPENAI.default_base_url()?,
    };
    let key = key?;
    document.finish();
    let api = Api {
        base_url,
        flavour: &api::OPENAI,
        organization: organization.map(located),
        project: project.map(located),
        default_headers: Vec::new(),
    };
    Ok(Box::new(Connection {
        nickname,
        api,
        auth: Auth::ApiKey(key),
        refresh_buffer_ms: None,
        strict: false,
    }))
}
