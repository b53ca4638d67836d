//! JSON web tokens in OAuth 2.0 (RFC 7523) at any endpoint, in both of the standard's uses: as an authorization grant
//! (section 2.1), and as the authentication of a client that asks in its own name (section 2.2), as Microsoft Entra ID
//! has it for federated credentials.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::api::{self, Flavour};
use crate::error::Code;
use crate::exchange::body::push;
use crate::exchange::standard::Standard;
use crate::exchange::{Entry, Exchange, JWT_BEARER, Parsed, TokenRequest};
use crate::fields::Fields;
use crate::plan::Plan;
use crate::subject_token::SubjectToken;
use crate::variables::Variables;

/// Section 2.2.
const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(super) const ENTRY: Entry = Entry { name: "rfc7523", read: Rfc7523::read };

struct Rfc7523 {
    standard: Standard,
    grant: Grant,
}

/// What the identity token is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grant {
    /// The grant itself.
    JwtBearer,
    /// The client's authentication.
    ClientCredentials,
}

impl Rfc7523 {
    fn read(fields: &mut Fields<'_>, variables: &Variables) -> Parsed {
        let standard = Standard::read(fields, variables)?;
        let grant = match fields.filled_text("grant")?.as_deref() {
            None | Some("jwt-bearer") => Grant::JwtBearer,
            Some("client_credentials") => Grant::ClientCredentials,
            Some(_) => {
                return Err(fields.fault(
                    Code::FieldValue,
                    "grant",
                    "is neither `jwt-bearer` nor `client_credentials`",
                ));
            }
        };
        if grant == Grant::ClientCredentials && standard.client.authenticates() {
            return Err(fields.fault(
                Code::FieldConflict,
                "client_secret",
                "stands beside `grant` `client_credentials`, where the identity token is what authenticates; remove it",
            ));
        }
        Ok(Box::new(Self { standard, grant }))
    }
}

impl Exchange for Rfc7523 {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn api(&self) -> &'static Flavour {
        &api::BEARER
    }

    fn describe(&self, plan: &mut Plan) {
        let grant = (self.grant == Grant::ClientCredentials).then_some("client_credentials");
        plan.set_or("exchange.grant", grant, "jwt-bearer");
        self.standard.describe(plan);
    }

    fn request<'a>(&'a self, subject: &'a SubjectToken) -> TokenRequest<'a> {
        let Standard { resource, audience, scope, client, .. } = &self.standard;
        let mut parameters = Vec::new();
        match self.grant {
            Grant::JwtBearer => {
                parameters.extend([("grant_type", JWT_BEARER), ("assertion", subject.expose())]);
                client.parameters(&mut parameters);
                push(&mut parameters, "scope", scope.as_deref());
            }
            Grant::ClientCredentials => {
                client.parameters(&mut parameters);
                push(&mut parameters, "scope", scope.as_deref());
                parameters.extend([
                    ("grant_type", "client_credentials"),
                    ("client_assertion_type", CLIENT_ASSERTION),
                    ("client_assertion", subject.expose()),
                ]);
            }
        }
        push(&mut parameters, "resource", resource.as_deref());
        push(&mut parameters, "audience", audience.as_deref());
        self.standard.request(parameters)
    }
}
