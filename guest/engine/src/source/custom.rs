//! Airflow's `custom`: the token comes from a program of the user's own. Here that is another component, which the host
//! loads beside this one and which reaches what the document grants *it*, and nothing else.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;

use crate::error::{Code, Error};
use crate::fields::Fields;
use crate::io::{Io, SourceFault};
use crate::plan::{Endpoint, Plan, SourceComponent};
use crate::source::{self, Entry, Fetch, Parsed, Source};
use crate::split;
use crate::subject_token::SubjectToken;
use crate::token_type::TokenType;
use crate::url::WebUrl;

pub(super) const ENTRY: Entry = Entry {
    name: "custom",
    settings: &["component", "token_type", "audience", "endpoints", "files", "variables"],
    read: |fields, _, _| read(&NATIVE, fields),
};

/// The hook has a Python function there, under `token_provider`, and passes `token_type` to the exchange.
pub(super) const IN_AIRFLOW: Entry = Entry {
    name: "custom",
    settings: &[
        "token_source_component",
        "token_source_endpoints",
        "token_source_files",
        "token_source_variables",
        "audience",
    ],
    read: |fields, _, _| {
        if !fields.has(FLAT.component) {
            let fault = "is missing: `token_provider` names a Python function, which cannot be called from here. Name a component that gives the token, or let the function write it into a file and use the provider `file`";
            return Err(fields.fault(Code::FieldMissing, FLAT.component, fault));
        }
        if fields.ignore("token_provider") {
            let message = "`extra.token_provider` names a Python function, which is not called; the component gives the token";
            fields.warn("unused-field", message);
        }
        read(&FLAT, fields)
    },
};

/// How a dialect spells the settings.
struct Names {
    component: &'static str,
    /// Where the exchange does not read it.
    token_type: Option<&'static str>,
    endpoints: &'static str,
    files: &'static str,
    variables: &'static str,
}

const NATIVE: Names = Names {
    component: "component",
    token_type: Some("token_type"),
    endpoints: "endpoints",
    files: "files",
    variables: "variables",
};

const FLAT: Names = Names {
    component: "token_source_component",
    token_type: None,
    endpoints: "token_source_endpoints",
    files: "token_source_files",
    variables: "token_source_variables",
};

struct Custom {
    component: SourceComponent,
    token_type: Option<TokenType>,
    audience: Option<String>,
}

fn read(names: &Names, fields: &mut Fields<'_>) -> Parsed {
    let mut component =
        SourceComponent { path: fields.required_text(names.component)?, ..SourceComponent::default() };
    let mut token_type = None;
    if let Some(key) = names.token_type
        && let Some(text) = fields.filled_text(key)?
    {
        token_type = TokenType::parse(&text);
        if token_type.is_none() {
            return Err(fields.fault(Code::FieldValue, key, "is neither `jwt` nor `id`"));
        }
    }
    for text in fields.texts(names.endpoints)? {
        match endpoint(&text) {
            Ok(endpoint) => component.endpoints.push(endpoint),
            Err(fault) => {
                let fault = format!("has an entry that {fault}");
                return Err(fields.fault(Code::FieldValue, names.endpoints, &fault));
            }
        }
    }
    component.files = fields.texts(names.files)?;
    component.variables = fields.texts(names.variables)?;
    Ok(Box::new(Custom { component, token_type, audience: fields.filled_text("audience")? }))
}

/// `GET https://host/path`. The fault is the end of a sentence.
fn endpoint(text: &str) -> Result<Endpoint, String> {
    let (method, url) = split::once(text.trim(), " ").unwrap_or_default();
    let method = match method {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        _ => return Err("is not written as `GET https://host/path` (or `POST`, or `PUT`)".to_owned()),
    };
    Ok(Endpoint { method, url: WebUrl::parse_nearby(url)?.as_str().to_owned() })
}

impl Custom {
    async fn token(&self, io: &Io) -> Result<SubjectToken, Error> {
        let path = &self.component.path;
        let audience = self.audience.as_deref();
        let text = io.ask_source(audience).await.map_err(|fault| match fault {
            SourceFault::Absent => Error::new(
                Code::CustomSourceMissing,
                format_args!(
                    "this host cannot ask the component `{path}`; run `credential-provider-with-source.wasm` on a host that loads it"
                ),
            ),
            SourceFault::Failed(words) => Error::new(
                Code::TokenNotGiven,
                format_args!(
                    "the component `{path}` gave no identity token: {}; see whether the document grants it what it needs (`endpoints`, `files`, `variables`)",
                    quotable(&words)
                ),
            ),
        })?;
        let origin = format!("the answer of the component `{path}`");
        source::checked(io, text.expose().as_bytes(), audience, &origin)
    }
}

impl Source for Custom {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn token_type(&self) -> TokenType {
        self.token_type.unwrap_or(TokenType::Jwt)
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set_if("source.component", Some(&self.component.path));
        plan.set_if("source.token_type", self.token_type.map(TokenType::name));
        plan.set_if("source.audience", self.audience.as_deref());
        plan.needs_source(self.component.clone());
    }

    fn token<'a>(&'a self, io: &'a Io) -> Fetch<'a> {
        Box::pin(self.token(io))
    }
}

/// Somebody else's words: one line (an [`Error`] sees to that), not endless, and nothing in it that could be a token.
fn quotable(words: &str) -> String {
    /// In characters.
    const LONGEST: usize = 200;
    /// What a program made (the parts of a token, a key) is one long word; what people wrote is not.
    const LONG_WORD: usize = 24;
    let mut shown = String::new();
    let mut word = 0;
    for c in words.trim().chars() {
        let inside = c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '=' | '~');
        word = if inside { word + 1 } else { 0 };
        if word < LONG_WORD {
            shown.push(c);
        } else if word == LONG_WORD {
            shown.truncate(shown.len() + 1 - LONG_WORD);
            shown.push_str("[hidden]");
        }
        if shown.len() >= LONGEST {
            shown.push_str("...");
            break;
        }
    }
    if shown.is_empty() { "it does not say why".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::{endpoint, quotable};

    #[test]
    fn what_could_be_a_token_is_not_quoted() {
        assert_eq!(quotable(" "), "it does not say why");
        assert_eq!(
            quotable("POST https://idcs-1.identity.oraclecloud.com/oauth2/v1/token: 401"),
            "POST https://idcs-1.identity.oraclecloud.com/oauth2/v1/token: 401"
        );
        let token = "eyJhbGciOiJFUzI1NiJ9eyJh.eyJzdWIiOiJwb2QiLCJhdWQiOiJ4In0.CANARY-CANARY-CANARY-CANARY";
        assert_eq!(
            quotable(&format!("not accepted: {token}, sorry")),
            "not accepted: [hidden].[hidden].[hidden], sorry"
        );
        assert_eq!(quotable(&"ab ".repeat(100)).chars().count(), 203);
    }

    #[test]
    fn an_endpoint_is_a_method_and_a_url() {
        let good = endpoint("POST https://a.example/token").unwrap();
        assert_eq!((good.method, good.url.as_str()), ("POST", "https://a.example/token"));
        assert!(endpoint("GET http://169.254.169.254/opc/v2/instance/").is_ok());
        for (bad, fault) in [
            ("https://a.example/", "not written as"),
            ("get https://a.example/", "not written as"),
            ("DELETE https://a.example/", "not written as"),
            ("GET https://a.example/?x=1", "query"),
            ("GET http://a.example/", "plain http"),
            ("GET", "not written as"),
        ] {
            assert!(endpoint(bad).unwrap_err().contains(fault), "{bad}");
        }
    }
}
