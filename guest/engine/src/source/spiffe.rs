//! A SPIFFE workload's JWT-SVID (spiffe.io, "JWT-SVID"), which a helper of the agent keeps fresh in a file.

use alloc::boxed::Box;
use alloc::string::String;

use crate::error::{Code, Error};
use crate::fields::Fields;
use crate::io::Io;
use crate::plan::Plan;
use crate::source::{Entry, Fetch, Parsed, Source, token_file};
use crate::subject_token::SubjectToken;
use crate::variables::Variables;

/// As in OpenAI's guide.
const DEFAULT_PATH: &str = "/var/run/spiffe/openai.jwt";

pub(super) const ENTRY: Entry =
    Entry { name: "spiffe", settings: &["token_file_path", "audience"], read: Spiffe::read };

struct Spiffe {
    path: Option<String>,
    audience: Option<String>,
}

impl Spiffe {
    fn read(fields: &mut Fields<'_>, _: &Variables, _: Option<&'static str>) -> Parsed {
        let path = fields.filled_text("token_file_path")?;
        Ok(Box::new(Self { path, audience: fields.filled_text("audience")? }))
    }

    fn path(&self) -> &str {
        self.path.as_deref().unwrap_or(DEFAULT_PATH)
    }

    async fn token(&self, io: &Io) -> Result<SubjectToken, Error> {
        let token = token_file::read(io, self.path(), self.audience.as_deref()).await?;
        // The subject of a JWT-SVID is the workload's SPIFFE ID (JWT-SVID, section 3.1).
        if token.claims().subject.as_ref().is_some_and(|subject| subject.starts_with("spiffe://")) {
            Ok(token)
        } else {
            Err(Error::new(
                Code::TokenForeign,
                format_args!(
                    "the file `{}` holds a token whose subject is no SPIFFE ID; point to the JWT-SVID, or use the source `file`. The token says: {}",
                    self.path(),
                    token.claims().describe()
                ),
            ))
        }
    }
}

impl Source for Spiffe {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set_or("source.token_file_path", self.path.as_deref(), DEFAULT_PATH);
        plan.set_if("source.audience", self.audience.as_deref());
        plan.needs_file(self.path());
    }

    fn token<'a>(&'a self, io: &'a Io) -> Fetch<'a> {
        Box::pin(self.token(io))
    }
}
