//! How an identity token becomes an access token. One file per exchange; [`ALL`] is the list that adding one touches.

mod answer;
mod openai;
mod refusal;

use std::future::Future;
use std::pin::Pin;

use crate::document::Fields;
use crate::error::Error;
use crate::io::{Io, Now};
use crate::plan::Plan;
use crate::secret::Secret;
use crate::subject_token::SubjectToken;
use crate::token_type::TokenType;

/// A token endpoint and how to talk to it.
pub trait Exchange {
    /// As the document names it.
    fn name(&self) -> &'static str;

    /// Told once, at the start: the kind of token that the source gives, for where the document names none.
    fn assume(&mut self, _token_type: TokenType) {}

    /// Adds the settings, what is needed, and what is doubtful.
    fn describe(&self, plan: &mut Plan);

    /// One request, one answer.
    fn trade<'a>(&'a self, io: &'a Io, subject: &'a SubjectToken) -> Trade<'a>;
}

/// The future that [`Exchange::trade`] returns.
pub type Trade<'a> = Pin<Box<dyn Future<Output = Result<Issued, Error>> + 'a>>;

/// What a token endpoint issued.
pub struct Issued {
    /// Goes into the `authorization` header.
    pub access_token: Secret,
    /// How long it lives, counted from `anchor`.
    pub lifetime_ms: u64,
    /// The moment before the request was sent: a slow answer must not lengthen a life.
    pub anchor: Now,
}

/// How a document names an exchange, and how its settings are read.
pub struct Entry {
    /// The value of `exchange.type`.
    pub name: &'static str,
    /// Takes the settings out of the document.
    pub read: fn(&mut Fields<'_>) -> Result<Box<dyn Exchange>, Error>,
}

/// Every exchange. The first is the default.
pub const ALL: &[Entry] = &[openai::ENTRY];

/// From connecting to the last byte (the official Python client: 10 s).
const TIMEOUT_MS: u64 = 10_000;

/// A token endpoint's answer has about 2 KiB.
const RESPONSE_LIMIT: usize = 64 * 1024;
