//! A model of OpenAI's Admin API, and the truth about its accounts.

use std::time::{Duration, UNIX_EPOCH};

use keyless_engine::io::{Response, SendFault};
use serde_json::{Value, json};

use crate::minting::faults::Fault;
use crate::minting::names;
use crate::plot::{Moment, SECOND};
use crate::random::Random;
use crate::world::EPOCH;

/// A minute after its lapse whoever comes may delete an account.
const LAPSE_MARGIN: u64 = 60 * SECOND;

/// A service account, from its making on.
pub struct Account {
    pub id: String,
    pub name: String,
    pub key: String,
    /// Which life asked for it. None: somebody else's.
    pub maker: Option<usize>,
    pub born: Moment,
    /// By its own clock, in seconds.
    created_at: u64,
    /// When lists begin to show it.
    shown_at: Moment,
    /// When it was deleted, and when lists cease to show it.
    gone: Option<(Moment, Moment)>,
    /// By its own clock.
    lapse_ms: Option<u64>,
}

impl Account {
    #[must_use]
    pub fn alive(&self) -> bool {
        self.gone.is_none()
    }

    /// Whether its maker has no use for it any more, as the API's clock and its name say.
    #[must_use]
    pub fn lapsed(&self, server_ms: u64) -> bool {
        self.lapse_ms.is_some_and(|lapse| server_ms >= lapse + LAPSE_MARGIN)
    }

    #[must_use]
    pub fn lapse_ms(&self) -> u64 {
        self.lapse_ms.unwrap_or(u64::MAX)
    }
}

/// A page as it was served.
pub struct Page {
    pub shown: Vec<usize>,
    pub more: bool,
    /// An account of ours that is there and that no list shows yet.
    pub hides: bool,
}

#[derive(Default)]
pub struct Admin {
    pub accounts: Vec<Account>,
    pub off: i64,
    pub lag: u64,
    pub page: usize,
    pub(super) answers: u64,
}

impl Admin {
    /// By its own clock, in Unix milliseconds.
    #[must_use]
    pub fn clock(&self, time: Moment) -> u64 {
        (EPOCH + time).saturating_add_signed(self.off)
    }

    /// A new account, and where it stands.
    pub fn create(&mut self, time: Moment, name: &str, maker: Option<usize>, random: &mut Random) -> usize {
        let number = self.accounts.len();
        self.accounts.push(Account {
            id: format!("svc_acct_{number}"),
            name: name.to_owned(),
            key: format!("sk-svcacct-{number}"),
            maker,
            born: time,
            created_at: self.clock(time) / SECOND,
            shown_at: time + random.between(0, self.lag),
            gone: None,
            lapse_ms: maker.and_then(|_| names::lapse_ms(name)),
        });
        number
    }

    pub fn delete(&mut self, time: Moment, account: usize, random: &mut Random) {
        let until = time + random.between(0, self.lag);
        self.accounts[account].gone.get_or_insert((time, until));
    }

    /// The account of that id, if there was ever one.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<usize> {
        self.accounts.iter().position(|account| account.id == id)
    }

    #[must_use]
    pub fn list(&self, time: Moment, after: Option<&str>, hides: bool) -> Page {
        let from = after.and_then(|after| self.find(after)).map_or(0, |at| at + 1);
        let shown = |account: &Account| {
            !(hides && account.maker.is_some())
                && account.shown_at <= time
                && account.gone.is_none_or(|(_, until)| time < until)
        };
        let mut rest = (from..self.accounts.len()).filter(|at| shown(&self.accounts[*at]));
        let page: Vec<_> = rest.by_ref().take(self.page).collect();
        let hides = self.accounts.iter().any(|one| one.maker.is_some() && one.alive() && !shown(one));
        Page { shown: page, more: rest.next().is_some(), hides }
    }

    #[must_use]
    pub fn page_body(&self, page: &Page) -> Value {
        let data: Vec<_> = page.shown.iter().map(|at| self.described(*at)).collect();
        let ends = |at: Option<&usize>| at.map(|at| self.accounts[*at].id.clone());
        json!({"object": "list", "data": data, "has_more": page.more,
            "first_id": ends(page.shown.first()), "last_id": ends(page.shown.last())})
    }

    #[must_use]
    pub fn created_body(&self, at: usize) -> Value {
        let (mut body, account) = (self.described(at), &self.accounts[at]);
        body["api_key"] = json!({"object": "organization.project.service_account.api_key",
            "value": account.key, "name": "Secret Key", "created_at": account.created_at, "id": format!("key_{at}")});
        body
    }

    fn described(&self, at: usize) -> Value {
        let account = &self.accounts[at];
        json!({"object": "organization.project.service_account", "id": account.id, "name": account.name,
            "role": "member", "created_at": account.created_at})
    }

    /// What comes back: the body, or what the fault makes of it.
    pub fn answer(
        &mut self,
        time: Moment,
        status: u16,
        body: &Value,
        fault: Option<Fault>,
    ) -> Result<Response, SendFault> {
        let text = body.to_string();
        let (status, text, retry_after) = match fault {
            None | Some(Fault::NoKey | Fault::Another) => (status, text, None),
            Some(Fault::Refused(fault)) => return Err(fault),
            Some(Fault::DoneAndBroken) => return Err(SendFault::Broken),
            Some(Fault::DoneAndSilent(_)) => return Err(SendFault::TimedOut),
            Some(Fault::Status(status) | Fault::DoneAndStatus(status)) => (status, "{}".to_owned(), None),
            Some(Fault::RetryAfter(seconds)) => (429, "{}".to_owned(), Some(seconds)),
            Some(Fault::Garbage) => (status, "<html>".to_owned(), None),
            Some(Fault::CutOff) => (status, text.chars().take(text.len() / 2).collect(), None),
        };
        self.answers += 1;
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(self.clock(time)));
        let mut headers = vec![("Date", date), ("x-request-id", format!("req_{}", self.answers))];
        headers.extend(retry_after.map(|seconds| ("Retry-After", seconds.to_string())));
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Response { status, headers, body: text.into_bytes().into() })
    }
}
