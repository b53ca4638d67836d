//! What processes ask the Admin API for, read as strictly as it can be.

use keyless_engine::io::Request;
use serde_json::{Map, Value};

use crate::life::Broken;

/// The Admin key.
pub const ADMIN_KEY: &str = "sk-admin-1";

const URL: &str = "https://api.openai.com/v1/organization/projects/proj_1/service_accounts";

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A page of accounts: those after that id.
    List { after: Option<String> },
    /// A new account by that name.
    Create { name: String },
    /// No account by that id.
    Delete { id: String },
}

/// Reads a request; every one that the Admin API would not expect is a fault of ours.
pub fn read(request: &Request) -> Result<Asked, Broken> {
    let broken = |what: &str| Err(format!("{} {}: {what}", request.method, request.url));
    let header = |name: &str| {
        let mut values = request.headers.iter().filter(|(other, _)| *other == name);
        values.next().map(|(_, value)| value.expose()).filter(|_| values.next().is_none())
    };
    if header("authorization") != Some(&format!("Bearer {ADMIN_KEY}")) {
        return broken("has not the Admin key");
    }
    if header("accept") != Some("application/json") {
        return broken("does not ask for JSON");
    }
    if header("content-length") != Some(&request.body.len().to_string()) {
        return broken("has not the length of its body");
    }
    if request.timeout_ms > 10_000 || request.response_limit > 64 * 1024 {
        return broken("wants more than hosts grant");
    }
    let Some(rest) = request.url.strip_prefix(URL) else { return broken("is another URL") };
    match request.method {
        "POST" if rest.is_empty() && header("content-type") == Some("application/json") => {
            let body: Option<Map<String, Value>> = serde_json::from_slice(&request.body).ok();
            match body
                .filter(|body| body.len() == 1)
                .and_then(|body| body.get("name")?.as_str().map(str::to_owned))
            {
                Some(name) => Ok(Asked::Create { name }),
                None => broken("has not a name, and nothing but a name"),
            }
        }
        "GET" if request.body.is_empty() => match rest.strip_prefix("?limit=50") {
            Some("") => Ok(Asked::List { after: None }),
            Some(rest) => match rest.strip_prefix("&after=").filter(|id| plain(id)) {
                Some(after) => Ok(Asked::List { after: Some(after.to_owned()) }),
                None => broken("is another query"),
            },
            None => broken("has no limit"),
        },
        "DELETE" if request.body.is_empty() => match rest.strip_prefix('/').filter(|id| plain(id)) {
            Some(id) => Ok(Asked::Delete { id: id.to_owned() }),
            None => broken("is no account"),
        },
        _ => broken("is not what this API knows"),
    }
}

fn plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
