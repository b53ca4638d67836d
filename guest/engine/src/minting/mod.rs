//! Keys that a connection makes itself, where the API cannot be told to trust the platform's identity: with an Admin key it
//! creates a service account in a project of OpenAI's, uses the key that is shown once, follows it with another in time and
//! deletes what is done with (OpenAI, "Administration API", project service accounts).
//!
//! ```text
//! mint   list ──▶ delete what was lost ──▶ create ──▶ the key, to the lease
//! tidy   list ──▶ delete what is done with, by ledger and name
//! ```
//!
//! Nothing is remembered outside the process: what was created is in the accounts' names ([`name`]), who is done with what
//! in the [`ledger`] of this life. What is neither ours by its name nor surely done with is never touched, and nothing is
//! created or deleted on the word of a list that is not whole.

mod accounts;
mod errand;
mod ledger;
mod mint;
mod name;
mod refusal;

pub use errand::{Account, Prune, Standing};
pub(crate) use errand::{Outcome, close, survey, tidy};
pub(crate) use ledger::Ledger;
pub(crate) use mint::mint;

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::{String, ToString as _};

use crate::api;
use crate::connection::Located;
use crate::document;
use crate::duration;
use crate::error::{Code, Error};
use crate::fields::Fields;
use crate::key::Key;
use crate::plan::{Origin, Plan, Warning};
use crate::url::WebUrl;
use crate::variables::Variables;

/// As a document names it, in `exchange.type`.
pub const NAME: &str = "openai-service-account";

/// OpenAI's own, which is the generator's default as well.
const HOST: &str = match api::OPENAI.base_url {
    Some(url) => url,
    None => "",
};

const USUAL_REFRESH_MS: u64 = DAY_MS;
const DAY_MS: u64 = 24 * 3_600_000;

/// Nobody rotates faster but to try it; and much slower is a static key by another name.
const REFRESH_MS: core::ops::RangeInclusive<u64> = 10_000..=180 * DAY_MS;

/// Faster than this is likely a mistake.
const HASTY_MS: u64 = 600_000;

const USUAL_SIZE: u64 = 12;
const USUAL_MOST: u64 = 100;

/// What a document says about minting.
pub struct Minting {
    admin_key: Key,
    project: String,
    prefix: Option<String>,
    size: usize,
    size_given: bool,
    host: Option<WebUrl>,
    refresh_ms: Located<u64>,
    grace_ms: Located<u64>,
    instance: Option<Located<String>>,
    most: u64,
    most_given: bool,
}

/// What a dialect calls the settings.
pub(crate) struct Words {
    pub(crate) project: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) size: &'static str,
    pub(crate) host: &'static str,
    pub(crate) refresh: &'static str,
    pub(crate) grace: &'static str,
    pub(crate) instance: &'static str,
    pub(crate) most: &'static str,
}

/// Those of the native form, and of what [`Minting::describe`] tells.
const WORDS: Words = Words {
    project: "project_id",
    prefix: "service_account_name_prefix",
    size: "service_account_name_size",
    host: "host",
    refresh: "refresh_interval",
    grace: "grace",
    instance: "instance",
    most: "max_service_accounts",
};

impl Minting {
    /// Takes the settings out of a native document.
    pub(crate) fn read_native(fields: &mut Fields<'_>, variables: &Variables) -> Result<Box<Self>, Error> {
        // First, because it may ask for a variable.
        let admin_key = Key::read(fields, "admin_key", variables);
        Self::read(fields, &WORDS, admin_key, variables)
    }

    /// Takes the settings out of the document, which calls them so.
    pub(crate) fn read(
        fields: &mut Fields<'_>,
        words: &Words,
        admin_key: Result<Option<Key>, Error>,
        variables: &Variables,
    ) -> Result<Box<Self>, Error> {
        let project = identifier(fields, words.project)?.ok_or_else(|| fields.missing(words.project))?;
        let prefix = identifier(fields, words.prefix)?;
        let size = fields.count(words.size)?;
        let host = fields.private_url(words.host)?;
        let refresh_ms = refresh(fields, words.refresh)?;
        let grace_ms = grace(fields, words, refresh_ms.value)?;
        let instance = instance(fields, words.instance, variables)?;
        let most = fields.count(words.most)?;
        if most.is_some_and(|most| most < 3) {
            return Err(fields.fault(
                Code::FieldValue,
                words.most,
                "is less than three: the current account, its successor and one in its grace period",
            ));
        }
        let room = name::ROOM - prefix.as_ref().map_or(0, String::len);
        let suffix =
            usize::try_from(size.unwrap_or(USUAL_SIZE)).ok().filter(|size| (1..=room).contains(size));
        let suffix = suffix.ok_or_else(|| {
            let fault = format!(
                "is not from 1 to {room}: names have at most 100 characters, the prefix and our mark included"
            );
            fields.fault(Code::FieldValue, words.size, &fault)
        })?;
        let admin_key = admin_key?.ok_or_else(|| fields.missing("admin_key"))?;
        Ok(Box::new(Self {
            admin_key,
            project,
            prefix,
            size: suffix,
            size_given: size.is_some(),
            host,
            refresh_ms,
            grace_ms,
            instance,
            most: most.unwrap_or(USUAL_MOST),
            most_given: most.is_some(),
        }))
    }

    /// Adds the settings, what is needed, and what is doubtful.
    pub fn describe(&self, plan: &mut Plan) {
        self.admin_key.describe("exchange.admin_key", plan);
        plan.set_if("exchange.project_id", Some(&self.project));
        plan.set_if("exchange.service_account_name_prefix", self.prefix.as_deref());
        let origin = |given| if given { Origin::Document } else { Origin::Default };
        plan.set("exchange.service_account_name_size", self.size.to_string(), origin(self.size_given));
        plan.set_or("exchange.host", self.host.as_ref().map(WebUrl::as_str), HOST);
        for (name, value) in [("refresh_interval", &self.refresh_ms), ("grace", &self.grace_ms)] {
            plan.set(&format!("exchange.{name}"), duration::text(value.value), value.origin.clone());
        }
        if let Some(instance) = &self.instance {
            plan.set("exchange.instance", instance.value.as_str(), instance.origin.clone());
        }
        plan.set("exchange.max_service_accounts", self.most.to_string(), origin(self.most_given));
        let accounts = self.accounts_url();
        plan.needs_endpoint("GET", &accounts);
        plan.needs_endpoint("POST", &accounts);
        plan.needs_endpoint("DELETE", &format!("{accounts}/*"));
        if matches!(&self.admin_key, Key::Held(key) if key.origin == Origin::Document) {
            plan.warn(Warning::new(
                "admin-key-in-document",
                "`exchange.admin_key` is written in the document: whoever reads it can manage the organization. Put it into a file and write {\"file\": PATH}, or into a variable",
            ));
        }
        if self.refresh_ms.value < HASTY_MS {
            plan.warn(Warning::new(
                "hasty-refresh",
                "`exchange.refresh_interval` is less than ten minutes: that many accounts are created and deleted, and the Admin API limits requests",
            ));
        }
    }

    /// The API that the keys open, where the document says nothing else: the Admin API's own base URL.
    pub(crate) fn base_url(&self) -> Option<&WebUrl> {
        self.host.as_ref()
    }

    /// How long before the end of its use a key is followed by another.
    pub(crate) fn buffer_ms(&self) -> u64 {
        self.grace_ms.value
    }

    /// How soon after a key was refused another is made, at the earliest. A new key may take a moment to be known
    /// everywhere, and an API that refuses all of them must not be answered with accounts without end.
    pub(crate) fn patience_ms(&self) -> u64 {
        (self.refresh_ms.value / 4).min(HASTY_MS)
    }

    /// How long a key is used at most.
    fn use_ms(&self) -> u64 {
        self.refresh_ms.value + self.grace_ms.value
    }

    fn accounts_url(&self) -> String {
        let host = self.host.as_ref().map_or(HOST, WebUrl::as_str).trim_end_matches('/');
        format!("{host}/organization/projects/{}/service_accounts", self.project)
    }

    fn prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or_default()
    }

    fn is_of_this_kind(&self, name: &name::Name) -> bool {
        name.has_prefix(self.prefix(), self.size)
    }
}

fn refresh(fields: &mut Fields<'_>, word: &'static str) -> Result<Located<u64>, Error> {
    let value = located(fields.duration(word)?, USUAL_REFRESH_MS);
    if value.value == 0 {
        let fault = "is 0, which would never rotate the key; write an interval such as `24h`";
        return Err(fields.fault(Code::FieldValue, word, fault));
    }
    if !REFRESH_MS.contains(&value.value) {
        let fault = "is not from 10 seconds to 180 days (`4320h`)";
        return Err(fields.fault(Code::FieldValue, word, fault));
    }
    Ok(value)
}

fn grace(fields: &mut Fields<'_>, words: &Words, refresh_ms: u64) -> Result<Located<u64>, Error> {
    let value = located(fields.duration(words.grace)?, refresh_ms.min(DAY_MS));
    if value.value > refresh_ms {
        let fault = format!(
            "is longer than `{}`: more than two keys would be in use at a time; shorten it",
            words.refresh
        );
        return Err(fields.fault(Code::FieldValue, words.grace, &fault));
    }
    Ok(value)
}

fn located(value: Option<u64>, default: u64) -> Located<u64> {
    let origin = if value.is_some() { Origin::Document } else { Origin::Default };
    Located { value: value.unwrap_or(default), origin }
}

/// Who this is: what the document says, else the host.
fn instance(
    fields: &mut Fields<'_>,
    word: &'static str,
    variables: &Variables,
) -> Result<Option<Located<String>>, Error> {
    let written = fields.filled_text(word)?.map(|value| Located { value, origin: Origin::Document });
    Ok(written.or_else(|| {
        let value = variables.of_host(document::INSTANCE)?.to_owned();
        Some(Located { value, origin: Origin::Variable(document::INSTANCE.to_owned()) })
    }))
}

/// A text that may stand in a path and in a name.
fn identifier(fields: &mut Fields<'_>, key: &'static str) -> Result<Option<String>, Error> {
    let text = fields.filled_text(key)?.map(|text| text.trim().to_owned());
    let plain = |text: &String| {
        text.len() <= name::ROOM
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && !text.starts_with('.')
    };
    match text {
        Some(text) if !plain(&text) => Err(fields.fault(
            Code::FieldValue,
            key,
            format_args!("has to be letters, digits, `-`, `_` and `.`, at most {} of them", name::ROOM),
        )),
        other => Ok(other),
    }
}

#[cfg(test)]
mod tests;
