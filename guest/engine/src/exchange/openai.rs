//! OpenAI's token endpoint: RFC 8693's token exchange in JSON instead of a form
//! (developers.openai.com, "Workload identity token exchange").

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::api::{self, Flavour};
use crate::error::{Code, Error};
use crate::exchange::body::{Encoding, push};
use crate::exchange::token_endpoint::TokenEndpoint;
use crate::exchange::{Entry, Exchange, OPENAI_AUDIENCE, Parsed, TOKEN_EXCHANGE, TokenRequest};
use crate::fields::Fields;
use crate::plan::{Plan, Warning};
use crate::subject_token::SubjectToken;
use crate::token_type::TokenType;
use crate::variables::Variables;

const DEFAULT_ENDPOINT: &str = "https://auth.openai.com/oauth/token";

/// For certificates there are hosts of their own, which ask for one in the handshake: of the API as well, where the
/// program that uses the token has to show it again.
const MUTUAL_TLS_ENDPOINT: &str = "https://mtls.auth.openai.com/oauth/token";
const MUTUAL_TLS_API: Flavour = Flavour { base_url: Some("https://mtls.api.openai.com/v1"), ..api::OPENAI };

pub(super) const ENTRY: Entry = Entry { name: "openai", read: OpenAi::read };

struct OpenAi {
    identity_provider_id: String,
    service_account_id: String,
    token_type: Option<TokenType>,
    /// What the source gives. OpenAI treats both alike.
    assumed_type: TokenType,
    token_endpoint: TokenEndpoint,
}

impl OpenAi {
    fn read(fields: &mut Fields<'_>, _: &Variables) -> Parsed {
        let identity_provider_id = fields.required_text("identity_provider_id")?;
        let service_account_id = fields.required_text("service_account_id")?;
        let token_type = fields.filled_text("token_type")?;
        let unknown = || fields.fault(Code::FieldValue, "token_type", "is neither `jwt` nor `id`");
        let token_type = token_type.map(|text| TokenType::parse(&text).ok_or_else(unknown)).transpose()?;
        let token_endpoint = TokenEndpoint::read(fields, DEFAULT_ENDPOINT)?;
        Ok(Box::new(Self {
            identity_provider_id,
            service_account_id,
            token_type,
            assumed_type: TokenType::Jwt,
            token_endpoint,
        }))
    }
}

impl Exchange for OpenAi {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn api(&self) -> &'static Flavour {
        if self.assumed_type == TokenType::X509 { &MUTUAL_TLS_API } else { &api::OPENAI }
    }

    fn assume(&mut self, token_type: TokenType) -> Result<(), Error> {
        if token_type == TokenType::X509 && self.token_type.is_some() {
            return Err(Error::new(
                Code::FieldConflict,
                "`exchange.token_type` announces a token, but the source `x509` gives a certificate; leave it out",
            ));
        }
        if token_type == TokenType::X509 {
            self.token_endpoint.by_default(MUTUAL_TLS_ENDPOINT);
        }
        self.assumed_type = token_type;
        Ok(())
    }

    fn audience(&self) -> Option<&'static str> {
        Some(OPENAI_AUDIENCE)
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set_if("exchange.identity_provider_id", Some(&self.identity_provider_id));
        plan.set_if("exchange.service_account_id", Some(&self.service_account_id));
        plan.set_or("exchange.token_type", self.token_type.map(TokenType::name), self.assumed_type.name());
        self.token_endpoint.describe(plan);
        if !self.identity_provider_id.starts_with("idp_") {
            plan.warn(Warning::new(
                "unusual-identifier",
                "`identity_provider_id` does not begin with `idp_`; copy it from the provider's page in OpenAI's settings",
            ));
        }
    }

    /// The parameters in the order of the official Python client.
    fn request<'a>(&'a self, subject: &'a SubjectToken) -> TokenRequest<'a> {
        let token_type = self.token_type.unwrap_or(self.assumed_type);
        let token = Some(subject.expose()).filter(|_| token_type != TokenType::X509);
        let mut parameters = vec![("grant_type", TOKEN_EXCHANGE)];
        push(&mut parameters, "subject_token", token);
        parameters.extend([
            ("subject_token_type", token_type.urn()),
            ("identity_provider_id", &self.identity_provider_id),
            ("service_account_id", &self.service_account_id),
        ]);
        let (endpoint, encoding, headers) = (self.token_endpoint.as_str(), Encoding::Json, Vec::new());
        TokenRequest { endpoint, encoding, headers, parameters, advice: &[] }
    }
}
