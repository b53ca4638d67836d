//! A token that the platform puts into a variable: GitLab's `id_tokens`, CircleCI's `CIRCLE_OIDC_TOKEN_V2`. Nothing
//! renews it while the process lives, so the connection ends with it.

use alloc::boxed::Box;
use alloc::string::String;

use crate::error::{Code, Error, field};
use crate::fields::Fields;
use crate::io::Io;
use crate::plan::Plan;
use crate::secret::Secret;
use crate::source::{self, Entry, Fetch, Parsed, Source};
use crate::subject_token::SubjectToken;
use crate::variables::Variables;

pub(super) const ENTRY: Entry =
    Entry { name: "variable", settings: &["variable", "audience"], read: Variable::read };

struct Variable {
    name: String,
    token: Secret,
    audience: Option<String>,
}

impl Variable {
    fn read(fields: &mut Fields<'_>, variables: &Variables, _: Option<&'static str>) -> Parsed {
        let name = fields.required_text("variable")?;
        let token = variables.get(&name).map(|token| token.prefixed(""));
        let audience = fields.filled_text("audience")?;
        let token = token.ok_or_else(|| {
            field(
                Code::FieldMissing,
                &name,
                format_args!(
                    "is not set; `{}` says that it holds the identity token: let the platform set it",
                    fields.name("variable")
                ),
            )
        })?;
        Ok(Box::new(Self { name, token, audience }))
    }

    fn token(&self, io: &Io) -> Result<SubjectToken, Error> {
        let origin = format!("the variable `{}`", self.name);
        let (token, audience) = (self.token.expose().as_bytes(), self.audience.as_deref());
        source::checked(io, token, audience, &origin).map_err(|error| match error.code() {
            Code::TokenExpired => Error::new(
                Code::TokenExpired,
                format_args!(
                    "the identity token in {origin} has expired, and a variable cannot be renewed within a process; start it again with a new token, or use a source that is renewed"
                ),
            ),
            _ => error,
        })
    }
}

impl Source for Variable {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set_if("source.variable", Some(&self.name));
        plan.set_if("source.audience", self.audience.as_deref());
    }

    fn token<'a>(&'a self, io: &'a Io) -> Fetch<'a> {
        Box::pin(async { self.token(io) })
    }
}
