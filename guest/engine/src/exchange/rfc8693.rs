//! OAuth 2.0 token exchange (RFC 8693) at any endpoint: Google's STS, Keycloak, and whoever else follows the standard.

use alloc::boxed::Box;
use alloc::string::String;

use crate::api::{self, Flavour};
use crate::exchange::body::push;
use crate::exchange::standard::Standard;
use crate::exchange::{Entry, Exchange, Parsed, TOKEN_EXCHANGE, TokenRequest};
use crate::fields::Fields;
use crate::plan::Plan;
use crate::subject_token::SubjectToken;
use crate::token_type::TokenType;
use crate::variables::Variables;

pub(super) const ENTRY: Entry = Entry { name: "rfc8693", read: Rfc8693::read };

struct Rfc8693 {
    standard: Standard,
    requested_token_type: Option<String>,
    subject_token_type: Option<String>,
}

impl Rfc8693 {
    fn read(fields: &mut Fields<'_>, variables: &Variables) -> Parsed {
        Ok(Box::new(Self {
            standard: Standard::read(fields, variables)?,
            requested_token_type: fields.filled_text("requested_token_type")?,
            subject_token_type: fields.filled_text("subject_token_type")?,
        }))
    }
}

impl Exchange for Rfc8693 {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn api(&self) -> &'static Flavour {
        &api::BEARER
    }

    fn describe(&self, plan: &mut Plan) {
        self.standard.describe(plan);
        plan.set_if("exchange.requested_token_type", self.requested_token_type.as_deref());
        plan.set_or("exchange.subject_token_type", self.subject_token_type.as_deref(), TokenType::Jwt.urn());
    }

    /// The parameters of section 2.1, in its order.
    fn request<'a>(&'a self, subject: &'a SubjectToken) -> TokenRequest<'a> {
        let Standard { resource, audience, scope, client, .. } = &self.standard;
        let mut parameters = vec![("grant_type", TOKEN_EXCHANGE)];
        push(&mut parameters, "resource", resource.as_deref());
        push(&mut parameters, "audience", audience.as_deref());
        push(&mut parameters, "scope", scope.as_deref());
        push(&mut parameters, "requested_token_type", self.requested_token_type.as_deref());
        parameters.push(("subject_token", subject.expose()));
        parameters
            .push(("subject_token_type", self.subject_token_type.as_deref().unwrap_or(TokenType::Jwt.urn())));
        client.parameters(&mut parameters);
        self.standard.request(parameters)
    }
}
