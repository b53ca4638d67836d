//! OpenAI's token endpoint: RFC 8693's token exchange in JSON instead of a form
//! (developers.openai.com, "Workload identity token exchange").

use crate::document::{Fields, Variables};
use crate::error::{Code, Error, field};
use crate::exchange::body::Encoding;
use crate::exchange::endpoint::Trading;
use crate::exchange::{Entry, Exchange, Issued, JWT, Parsed, TOKEN_EXCHANGE, Trade};
use crate::io::Io;
use crate::plan::{Plan, Warning};
use crate::subject_token::SubjectToken;
use crate::url::WebUrl;

/// The API's base URL never moves it; only `exchange.token_endpoint` does.
const DEFAULT_ENDPOINT: &str = "https://auth.openai.com/oauth/token";

pub(super) const ENTRY: Entry = Entry { name: "openai", read: OpenAi::read };

struct OpenAi {
    identity_provider_id: String,
    service_account_id: String,
    token_type: Option<TokenType>,
    token_endpoint: Option<WebUrl>,
}

/// What kind of token the platform gives. OpenAI treats both alike.
#[derive(Clone, Copy)]
enum TokenType {
    Jwt,
    Id,
}

impl OpenAi {
    fn read(fields: &mut Fields<'_>, _: &Variables) -> Parsed {
        let identity_provider_id = fields.required_text("identity_provider_id")?;
        let service_account_id = fields.required_text("service_account_id")?;
        let token_type = fields.filled_text("token_type")?;
        let token_type =
            token_type.map(|text| TokenType::parse(&text, &fields.name("token_type"))).transpose()?;
        let token_endpoint = fields.private_url("token_endpoint")?;
        Ok(Box::new(Self { identity_provider_id, service_account_id, token_type, token_endpoint }))
    }

    fn endpoint(&self) -> &str {
        self.token_endpoint.as_ref().map_or(DEFAULT_ENDPOINT, WebUrl::as_str)
    }

    /// The parameters in the order of the official Python client.
    async fn trade(&self, io: &Io, subject: &SubjectToken) -> Result<Issued, Error> {
        let trading = Trading {
            endpoint: self.endpoint(),
            encoding: Encoding::Json,
            headers: Vec::new(),
            parameters: vec![
                ("grant_type", TOKEN_EXCHANGE),
                ("subject_token", subject.expose()),
                ("subject_token_type", self.token_type.unwrap_or(TokenType::Jwt).urn()),
                ("identity_provider_id", &self.identity_provider_id),
                ("service_account_id", &self.service_account_id),
            ],
            advice: &[],
        };
        trading.issued(io, subject).await
    }
}

impl Exchange for OpenAi {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set_if("exchange.identity_provider_id", Some(&self.identity_provider_id));
        plan.set_if("exchange.service_account_id", Some(&self.service_account_id));
        plan.set_or("exchange.token_type", self.token_type.map(TokenType::name), TokenType::Jwt.name());
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

impl TokenType {
    fn parse(text: &str, name: &str) -> Result<Self, Error> {
        match text {
            "jwt" => Ok(Self::Jwt),
            "id" => Ok(Self::Id),
            _ => Err(field(Code::FieldValue, name, "is neither `jwt` nor `id`")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Id => "id",
        }
    }

    /// RFC 8693, section 3.
    fn urn(self) -> &'static str {
        match self {
            Self::Jwt => JWT,
            Self::Id => "urn:ietf:params:oauth:token-type:id_token",
        }
    }
}
