//! Where an identity token comes from. One file per source; [`ALL`] is the list that adding one touches.

mod aws;
mod azure;
mod custom;
mod file;
mod gcp;
mod github;
mod injected;
mod kubernetes;
mod metadata;
mod spiffe;
mod token_file;
mod variable;
mod x509;

use alloc::boxed::Box;
use core::future::Future;
use core::pin::Pin;

use crate::error::Error;
use crate::fields::Fields;
use crate::io::Io;
use crate::plan::Plan;
use crate::subject_token::SubjectToken;
use crate::token_type::TokenType;
use crate::variables::Variables;

/// A place that gives identity tokens.
pub trait Source {
    /// As the document names it.
    fn name(&self) -> &'static str;

    /// The kind of token it gives.
    fn token_type(&self) -> TokenType {
        TokenType::Jwt
    }

    /// How to give its token an audience of its own.
    fn remedy(&self) -> &'static str {
        "Give the token an audience of its own, that of the identity provider's entry at the API"
    }

    /// Adds the settings, what is needed, and what is doubtful.
    fn describe(&self, plan: &mut Plan);

    /// Fetches a token, anew for every attempt, and refuses one that is stale or for somebody else.
    fn token<'a>(&'a self, io: &'a Io) -> Fetch<'a>;
}

/// The future that [`Source::token`] returns.
pub type Fetch<'a> = Pin<Box<dyn Future<Output = Result<SubjectToken, Error>> + 'a>>;

/// What [`Entry::read`] is. The last is [`crate::exchange::Exchange::audience`].
pub type Read = fn(&mut Fields<'_>, &Variables, Option<&'static str>) -> Parsed;

/// What reading the settings of a source yields.
pub type Parsed = Result<Box<dyn Source>, Error>;

/// How a document names a source, and how its settings are read.
pub struct Entry {
    /// The value of `source.type`.
    pub name: &'static str,
    /// Its settings, for the message about one that stands beside another source.
    pub settings: &'static [&'static str],
    /// Takes the settings out of the document. Every variable that may be needed has to be asked for before it fails.
    pub read: Read,
}

/// The token that `bytes` hold, unless it is stale or for somebody else. `origin`: what held them.
fn checked(io: &Io, bytes: &[u8], audience: Option<&str>, origin: &str) -> Result<SubjectToken, Error> {
    SubjectToken::parse(bytes, origin)?.check(io.now_by_either_clock(), audience, origin)
}

/// Every source.
pub const ALL: &[Entry] = &[
    kubernetes::ENTRY,
    file::ENTRY,
    azure::ENTRY,
    gcp::ENTRY,
    aws::ENTRY,
    github::ENTRY,
    variable::ENTRY,
    spiffe::ENTRY,
    injected::AKS,
    injected::EKS,
    x509::ENTRY,
    custom::ENTRY,
];

/// `custom` under the names that it has in Airflow's flat `extra`.
pub const CUSTOM_IN_AIRFLOW: Entry = custom::IN_AIRFLOW;

/// The remedy of sources that ask for an audience.
const SET_AUDIENCE: &str = "Set `source.audience` to that of the identity provider's entry at the API";

/// The remedy of sources that read what Kubernetes mounts.
const MOUNT_A_TOKEN: &str = "Mount a projected token (`serviceAccountToken`) with the `audience` of the identity provider's entry, and set `token_file_path`";
