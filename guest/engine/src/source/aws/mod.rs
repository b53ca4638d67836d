//! AWS outbound identity federation: an IAM role asks STS for a token of its own (`GetWebIdentityToken`) and shows it to
//! somebody outside AWS (IAM user guide, "Federating AWS identities to external services"; OpenAI's guide "Configuring
//! workload identity federation for AWS").
//!
//! The request is signed with the role's keys. Where those come from is decided once, when the document is opened, from
//! what is configured: a hiccup of one place never leads to another place, whose identity would be a different one.

mod container;
mod credentials;
mod instance;
mod keys;
mod region;
mod request;
mod sigv4;
mod sts;
mod timestamp;
mod web_identity;
mod xml;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::string::ToString as _;

use crate::audience::Audience;
use crate::error::{Code, Error};
use crate::fields::Fields;
use crate::io::Io;
use crate::plan::{Origin, Plan};
use crate::source::{self, Entry, Fetch, Parsed, SET_AUDIENCE, Source};
use crate::subject_token::SubjectToken;
use crate::variables::Variables;

use credentials::Credentials;
use sts::Sts;

/// STS takes up to 1000 characters.
const LONGEST_AUDIENCE: usize = 1_000;

/// STS's own default and the guides' limit. A longer one makes the access token live longer, where the role's policy
/// allows it.
const DEFAULT_DURATION: u64 = 300;

pub(super) const ENTRY: Entry = Entry {
    name: "aws",
    settings: &["audience", "signing_algorithm", "duration_seconds", "region", "sts_endpoint"],
    read: Aws::read,
};

struct Aws {
    audience: Audience,
    algorithm: Option<Algorithm>,
    /// In seconds.
    duration: Option<u64>,
    sts: Sts,
    credentials: Credentials,
}

/// How STS signs the token. The whole list.
#[derive(Clone, Copy)]
enum Algorithm {
    Es384,
    Rs256,
}

impl Aws {
    fn read(fields: &mut Fields<'_>, variables: &Variables, expected: Option<&'static str>) -> Parsed {
        // Both are read before either may fail, so that every variable is asked for.
        let (sts, credentials) = (Sts::read(fields, variables), Credentials::choose(variables));
        let (sts, credentials) = (sts?, credentials?);
        let audience = Audience::read(fields, expected)?;
        if audience.as_str().chars().count() > LONGEST_AUDIENCE {
            return Err(fields.fault(Code::FieldValue, "audience", "has more than 1000 characters"));
        }
        let algorithm = match fields.filled_text("signing_algorithm")?.as_deref() {
            None => None,
            Some("ES384") => Some(Algorithm::Es384),
            Some("RS256") => Some(Algorithm::Rs256),
            Some(_) => {
                return Err(fields.fault(
                    Code::FieldValue,
                    "signing_algorithm",
                    "is neither `ES384` nor `RS256`, which is all that STS offers",
                ));
            }
        };
        let duration = fields.seconds("duration_seconds")?;
        if duration.is_some_and(|ms| !(60_000..=3_600_000).contains(&ms) || !ms.is_multiple_of(1_000)) {
            return Err(fields.fault(
                Code::FieldValue,
                "duration_seconds",
                "is not a whole number from 60 to 3600, which is what STS takes",
            ));
        }
        let duration = duration.map(|ms| ms / 1_000);
        Ok(Box::new(Self { audience, algorithm, duration, sts, credentials }))
    }

    fn algorithm(&self) -> &'static str {
        self.algorithm.unwrap_or(Algorithm::Es384).name()
    }

    fn duration(&self) -> String {
        self.duration.unwrap_or(DEFAULT_DURATION).to_string()
    }

    /// Everything anew for every attempt: keys are short-lived and rotate while nobody looks.
    async fn fetch(&self, io: &Io) -> Result<SubjectToken, Error> {
        let keys = match &self.credentials {
            Credentials::Environment(keys) => keys,
            Credentials::WebIdentity(role) => &role.keys(io, &self.sts).await?,
            Credentials::Container(container) => &container.keys(io).await?,
            Credentials::Instance(instance) => &instance.keys(io).await?,
        };
        let token = self
            .sts
            .web_identity_token(io, keys, self.audience.as_str(), self.algorithm(), &self.duration())
            .await?;
        let origin = "the answer of AWS STS";
        source::checked(io, token.expose().as_bytes(), Some(self.audience.as_str()), origin)
    }
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
        }
    }
}

impl Source for Aws {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn remedy(&self) -> &'static str {
        SET_AUDIENCE
    }

    fn describe(&self, plan: &mut Plan) {
        self.audience.describe(plan);
        plan.set_or("source.signing_algorithm", self.algorithm.map(Algorithm::name), Algorithm::Es384.name());
        let origin = if self.duration.is_some() { Origin::Document } else { Origin::Default };
        plan.set("source.duration_seconds", self.duration(), origin);
        self.sts.describe(plan);
        self.credentials.describe(plan);
    }

    fn token<'a>(&'a self, io: &'a Io) -> Fetch<'a> {
        Box::pin(self.fetch(io))
    }
}
