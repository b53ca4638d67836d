//! The parsed, validated document: everything in it can be used as it is.

use crate::exchange::Exchange;
use crate::plan::{Origin, Plan, Warning};
use crate::secret::Secret;
use crate::source::Source;
use crate::url::WebUrl;

/// OpenAI's public API.
pub const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";

/// What a document says, whatever its dialect.
pub struct Connection {
    /// What the credential opens.
    pub api: Api,
    /// Where the credential comes from.
    pub auth: Auth,
    /// How long before its end a credential is renewed, in milliseconds, where the document says.
    pub refresh_buffer_ms: Option<u64>,
}

/// What the credential opens.
pub struct Api {
    /// Where the API is. It never moves the token endpoint.
    pub base_url: Located<WebUrl>,
    /// Sent as `openai-organization`.
    pub organization: Option<Located<String>>,
    /// Sent as `openai-project`.
    pub project: Option<Located<String>>,
    /// Sent beside; names in lower case, none that this library sets.
    pub default_headers: Vec<(String, Secret)>,
}

/// Where the credential comes from.
pub enum Auth {
    /// A key that somebody made and has to rotate.
    ApiKey(Located<Secret>),
    /// The platform's identity, traded for a short-lived token.
    WorkloadIdentity {
        /// Where the identity token comes from.
        source: Box<dyn Source>,
        /// Where it is traded.
        exchange: Box<dyn Exchange>,
    },
}

/// A value and where it came from.
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl Auth {
    /// The two halves, the exchange told what kind of token it will get.
    #[must_use]
    pub fn workload_identity(source: Box<dyn Source>, mut exchange: Box<dyn Exchange>) -> Self {
        exchange.assume(source.token_type());
        Self::WorkloadIdentity { source, exchange }
    }
}

impl Connection {
    /// Adds what the connection is and needs.
    pub fn describe(&self, plan: &mut Plan) {
        match &self.auth {
            Auth::ApiKey(key) => {
                plan.set("auth_type", "api_key", Origin::Document);
                plan.set_secret("api_key", &key.value, key.origin.clone());
            }
            Auth::WorkloadIdentity { source, exchange } => {
                plan.set("auth_type", "workload_identity", Origin::Document);
                plan.set("source.type", source.name(), Origin::Document);
                source.describe(plan);
                plan.set("exchange.type", exchange.name(), Origin::Document);
                exchange.describe(plan);
                match self.refresh_buffer_ms {
                    Some(ms) => plan.set("refresh_buffer_seconds", seconds(ms), Origin::Document),
                    None => {
                        plan.set(
                            "refresh_buffer_seconds",
                            seconds(crate::lease::DEFAULT_BUFFER_MS),
                            Origin::Default,
                        );
                    }
                }
            }
        }
        self.api.describe(plan);
    }
}

impl Api {
    fn describe(&self, plan: &mut Plan) {
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

    /// The headers of a credential: the one that authenticates first.
    #[must_use]
    pub fn headers(&self, token: &Secret) -> Vec<(String, Secret)> {
        let mut headers = vec![("authorization".to_owned(), token.prefixed("Bearer "))];
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

fn seconds(ms: u64) -> String {
    if ms.is_multiple_of(1_000) {
        (ms / 1_000).to_string()
    } else {
        format!("{}.{:03}", ms / 1_000, ms % 1_000)
    }
}
