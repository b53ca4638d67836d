//! What a credential opens, and the form in which that API wants to see it.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use crate::connection::Located;
use crate::error::{Code, Error};
use crate::exchange::Issued;
use crate::plan::{Origin, Plan, Warning};
use crate::secret::Secret;
use crate::url::WebUrl;

/// The habits of an API. An exchange implies its own; a document with a static key names one as `api.type`.
pub struct Flavour {
    /// As the document names it.
    pub name: &'static str,
    /// Where the API is when the document does not say. None: it has to.
    pub base_url: Option<&'static str>,
    /// The header of a static key, and what stands before the key in it.
    pub key: (&'static str, &'static str),
    /// What else an exchange of this flavour may set beside the token.
    pub beside_token: &'static [&'static str],
    /// Whether there are `openai-organization` and `openai-project`.
    pub has_organizations: bool,
}

/// OpenAI and what imitates it.
pub const OPENAI: Flavour = Flavour {
    name: "openai",
    base_url: Some("https://api.openai.com/v1"),
    key: ("authorization", "Bearer "),
    beside_token: &[],
    has_organizations: true,
};

/// Anthropic: a key has a header of its own, a token is a bearer token with a beta header
/// (platform.claude.com, "Workload identity federation").
pub const ANTHROPIC: Flavour = Flavour {
    name: "anthropic",
    base_url: Some("https://api.anthropic.com"),
    key: ("x-api-key", ""),
    beside_token: &["anthropic-beta"],
    has_organizations: false,
};

/// Any API that takes bearer tokens (RFC 6750, section 2.1).
pub const BEARER: Flavour = Flavour {
    name: "bearer",
    base_url: None,
    key: ("authorization", "Bearer "),
    beside_token: &[],
    has_organizations: false,
};

impl Flavour {
    /// The one that a document names.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        [&OPENAI, &ANTHROPIC, &BEARER].into_iter().find(|flavour| flavour.name == name)
    }

    /// Where the API is when the document does not say.
    pub fn default_base_url(&self) -> Result<Located<WebUrl>, Error> {
        let text = self.base_url.ok_or_else(|| {
            Error::new(
                Code::FieldMissing,
                "`api.base_url` is missing; there is no usual one with this exchange or `api.type`, so write the URL of the API",
            )
        })?;
        let value = WebUrl::parse(text).map_err(|fault| Error::new(Code::FieldUrl, fault))?;
        Ok(Located { value, origin: Origin::Default })
    }

    /// Whether a credential sets this header itself. `authorization` and OpenAI's always count as set.
    #[must_use]
    pub fn sets(&self, header: &str, exchanged: bool) -> bool {
        if exchanged { self.beside_token.contains(&header) } else { self.key.0 == header }
    }
}

/// What the credential opens.
pub struct Api {
    /// Where the API is. It never moves the token endpoint.
    pub base_url: Located<WebUrl>,
    /// Its habits.
    pub flavour: &'static Flavour,
    /// Sent as `openai-organization`.
    pub organization: Option<Located<String>>,
    /// Sent as `openai-project`.
    pub project: Option<Located<String>>,
    /// Sent beside; names in lower case, none that this library sets.
    pub default_headers: Vec<(String, Secret)>,
}

impl Api {
    /// Adds what the API is.
    pub fn describe(&self, plan: &mut Plan) {
        if self.flavour.name != OPENAI.name {
            plan.set("api.type", self.flavour.name, Origin::Document);
        }
        plan.set("api.base_url", self.base_url.value.as_str(), self.base_url.origin.clone());
        for (name, setting) in [("api.organization", &self.organization), ("api.project", &self.project)] {
            if let Some(setting) = setting {
                plan.set(name, setting.value.as_str(), setting.origin.clone());
            }
        }
        for (name, value) in &self.default_headers {
            plan.set_secret(&format!("api.default_headers.{name}"), value, Origin::Document);
        }
        if !self.base_url.value.is_private_to_the_wire() {
            plan.warn(Warning::new(
                "base-url-plain-http",
                "`api.base_url` is plain http: whoever sees the traffic sees the credential; use https, or loopback",
            ));
        }
    }

    /// The headers of a static key: the one that authenticates first.
    #[must_use]
    pub fn key_headers(&self, key: &Secret) -> Vec<(String, Secret)> {
        let (name, prefix) = self.flavour.key;
        self.headers(vec![(name.to_owned(), key.prefixed(prefix))])
    }

    /// The headers of a token that was issued: the one that authenticates first.
    #[must_use]
    pub fn token_headers(&self, issued: &Issued) -> Vec<(String, Secret)> {
        let mut headers = vec![("authorization".to_owned(), issued.access_token.prefixed("Bearer "))];
        for (name, value) in &issued.beside {
            headers.push(((*name).to_owned(), value.prefixed("")));
        }
        self.headers(headers)
    }

    fn headers(&self, mut headers: Vec<(String, Secret)>) -> Vec<(String, Secret)> {
        for (name, setting) in
            [("openai-organization", &self.organization), ("openai-project", &self.project)]
        {
            if let Some(setting) = setting {
                headers.push((name.to_owned(), Secret::new(setting.value.clone())));
            }
        }
        for (name, value) in &self.default_headers {
            headers.push((name.clone(), value.prefixed("")));
        }
        headers
    }
}
