//! What an instance does about its credential, and when: the one thing in which the contenders differ.

use super::engine::Engine;
use super::peers::{anthropic, botocore, envoy, google_cloud, openai_node, openai_python};
use crate::plot::{MINUTE, Moment};

/// How long an access token lives, in milliseconds. Every figure is about tokens of an hour.
pub const LIFETIME: u64 = crate::plot::HOUR;

/// What a caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A credential.
    Served,
    /// An error.
    Failed,
    /// Nothing before the exchange under way has ended.
    Waits,
}

/// What comes of a call: what the caller gets, and whether an exchange begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub answer: Answer,
    pub asks: bool,
}

impl Call {
    /// Out of the cache.
    pub const SERVED: Self = Self { answer: Answer::Served, asks: false };
    /// The caller starts an exchange and waits for it.
    pub const ASKS: Self = Self { answer: Answer::Waits, asks: true };
    /// The caller waits for an exchange that somebody else started.
    pub const WAITS: Self = Self { answer: Answer::Waits, asks: false };
    /// The caller gets what is in the cache, and an exchange starts behind its back.
    pub const ASKS_BEHIND: Self = Self { answer: Answer::Served, asks: true };
    /// There is nothing to give.
    pub const FAILED: Self = Self { answer: Answer::Failed, asks: false };
}

/// One instance. At most one exchange is under way: nothing asks for another before the first was granted or refused.
pub trait Policy {
    /// A caller wants the credential.
    fn call(&mut self, now: Moment) -> Call;

    /// When it wants to be woken, if it keeps time by itself.
    fn wake_at(&self) -> Option<Moment> {
        None
    }

    /// That moment has come. True: an exchange begins.
    fn wake(&mut self, _now: Moment) -> bool {
        false
    }

    /// The exchange brought a token.
    fn granted(&mut self, now: Moment);

    /// The exchange failed. What those get who waited for it.
    fn refused(&mut self, now: Moment) -> Answer;

    /// The API answered 401. True: an exchange begins.
    fn rejected(&mut self, _now: Moment) -> bool {
        false
    }

    /// Before this moment every caller is served, and no call changes anything: nobody needs to play it.
    fn calm_until(&self) -> Moment;

    /// Whether it holds a credential that it does not want to renew yet.
    fn fresh(&self, now: Moment) -> bool;
}

/// A policy to be compared.
#[derive(Clone, Copy, Debug)]
pub struct Contender {
    pub name: &'static str,
    /// In a few words, for the table.
    pub how: &'static str,
    /// From one exchange to when the next is due, in milliseconds; about, where that is drawn.
    pub cycle: u64,
    /// The instance of that number.
    pub new: fn(u64) -> Box<dyn Policy>,
}

/// Ours.
pub const KEYLESS: Contender = Contender {
    name: "Keyless",
    how: "first renewal in 10-50 % of the lifetime, later ones in 40-50 %; back-off to 300 s, full jitter",
    cycle: LIFETIME * 45 / 100,
    new: |number| Box::new(Engine::new(number)),
};

/// Ours first, then the peers, by the outage that they could bridge.
pub const ALL: [Contender; 7] = [
    KEYLESS,
    Contender {
        name: "Envoy credential_injector",
        how: "half of the lifetime; again every 2 s",
        cycle: LIFETIME / 2,
        new: |_| Box::<envoy::Injector>::default(),
    },
    Contender {
        name: "OpenAI SDK for Node",
        how: "20 min before the end, behind the caller's back; again with every call",
        cycle: LIFETIME - 20 * MINUTE,
        new: |_| Box::<openai_node::Cache>::default(),
    },
    Contender {
        name: "OpenAI SDK for Python",
        how: "20 min before the end, the caller waits; a failure is the caller's, though the token lives",
        cycle: LIFETIME - 20 * MINUTE,
        new: |_| Box::<openai_python::Cache>::default(),
    },
    Contender {
        name: "botocore",
        how: "15 min before the end, with every call; from 10 min before the end a failure is the caller's",
        cycle: LIFETIME - 15 * MINUTE,
        new: |_| Box::<botocore::Cache>::default(),
    },
    Contender {
        name: "google-cloud-rust",
        how: "4 min before the end; again every 10 s",
        cycle: LIFETIME - 4 * MINUTE,
        new: |_| Box::<google_cloud::Cache>::default(),
    },
    Contender {
        name: "Anthropic SDK for Python",
        how: "2 min before the end; again after 5 s; from 30 s before the end a failure is the caller's",
        cycle: LIFETIME - 2 * MINUTE,
        new: |_| Box::<anthropic::Cache>::default(),
    },
];
