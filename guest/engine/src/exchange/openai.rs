//! OpenAI's token endpoint: RFC 8693's token exchange in JSON instead of a form
//! (developers.openai.com, "Workload identity token exchange").

use serde::Serialize;

use crate::document::Fields;
use crate::error::{Code, Error};
use crate::exchange::{Entry, Exchange, Issued, RESPONSE_LIMIT, TIMEOUT_MS, Trade, answer, refusal};
use crate::io::{Io, Request};
use crate::plan::{Plan, Warning};
use crate::secret::{Secret, SecretBytes};
use crate::subject_token::SubjectToken;
use crate::token_type::TokenType;
use crate::url::WebUrl;

/// The API's base URL never moves it; only `exchange.token_endpoint` does.
const DEFAULT_ENDPOINT: &str = "https://auth.openai.com/oauth/token";

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

pub(super) const ENTRY: Entry = Entry { name: "openai", read: OpenAi::read };

struct OpenAi {
    identity_provider_id: String,
    service_account_id: String,
    token_type: Option<TokenType>,
    /// What the source gives. OpenAI treats both alike.
    assumed_type: TokenType,
    token_endpoint: Option<WebUrl>,
}

/// The body, in the order of the official Python client.
#[derive(Serialize)]
struct Body<'a> {
    grant_type: &'a str,
    subject_token: &'a str,
    subject_token_type: &'a str,
    identity_provider_id: &'a str,
    service_account_id: &'a str,
}

impl OpenAi {
    fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Exchange>, Error> {
        let identity_provider_id = fields.required_text("identity_provider_id")?;
        let service_account_id = fields.required_text("service_account_id")?;
        let token_type = fields.filled_text("token_type")?;
        let unknown = || fields.fault(Code::FieldValue, "token_type", "is neither `jwt` nor `id`");
        let token_type = token_type.map(|text| TokenType::parse(&text).ok_or_else(unknown)).transpose()?;
        let token_endpoint = fields.private_url("token_endpoint")?;
        Ok(Box::new(Self {
            identity_provider_id,
            service_account_id,
            token_type,
            assumed_type: TokenType::Jwt,
            token_endpoint,
        }))
    }

    fn endpoint(&self) -> &str {
        self.token_endpoint.as_ref().map_or(DEFAULT_ENDPOINT, WebUrl::as_str)
    }

    async fn trade(&self, io: &Io, subject: &SubjectToken) -> Result<Issued, Error> {
        let request = self.request(subject)?;
        let anchor = io.now();
        let response = io.send(request).await.map_err(|fault| refusal::of_fault(fault, self.endpoint()))?;
        if response.status == 200 {
            answer::read(&response.body, anchor)
        } else {
            Err(refusal::of_response(&response, io.now(), subject.claims()))
        }
    }

    fn request(&self, subject: &SubjectToken) -> Result<Request, Error> {
        let body = Body {
            grant_type: GRANT_TYPE,
            subject_token: subject.expose(),
            subject_token_type: self.token_type.unwrap_or(self.assumed_type).urn(),
            identity_provider_id: &self.identity_provider_id,
            service_account_id: &self.service_account_id,
        };
        // Room for all of it beforehand: a vector that grows leaves pieces of the token behind.
        let mut json = SecretBytes::from(Vec::with_capacity(2 * subject.expose().len() + 1_024));
        serde_json::to_writer(&mut *json, &body)
            .map_err(|_| Error::new(Code::FieldValue, "the exchange cannot be written as JSON"))?;
        Ok(Request {
            method: "POST",
            url: self.endpoint().to_owned(),
            headers: vec![
                ("content-type", Secret::new("application/json".to_owned())),
                ("content-length", Secret::new(json.len().to_string())),
            ],
            body: json,
            timeout_ms: TIMEOUT_MS,
            response_limit: RESPONSE_LIMIT,
        })
    }
}

impl Exchange for OpenAi {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn assume(&mut self, token_type: TokenType) {
        self.assumed_type = token_type;
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set_if("exchange.identity_provider_id", Some(&self.identity_provider_id));
        plan.set_if("exchange.service_account_id", Some(&self.service_account_id));
        plan.set_or("exchange.token_type", self.token_type.map(TokenType::name), self.assumed_type.name());
        plan.set_or(
            "exchange.token_endpoint",
            self.token_endpoint.as_ref().map(WebUrl::as_str),
            DEFAULT_ENDPOINT,
        );
        plan.needs_endpoint("POST", self.endpoint());
        if !self.identity_provider_id.starts_with("idp_") {
            plan.warn(Warning::new(
                "unusual-identifier",
                "`identity_provider_id` does not begin with `idp_`; copy it from the provider's page in OpenAI's settings",
            ));
        }
    }

    fn trade<'a>(&'a self, io: &'a Io, subject: &'a SubjectToken) -> Trade<'a> {
        Box::pin(self.trade(io, subject))
    }
}
