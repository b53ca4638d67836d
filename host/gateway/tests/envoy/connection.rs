//! A connection whose credentials the test issues.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use http::{HeaderName, HeaderValue, Uri};
use keyless_gateway::{Changes, Connection, Credential, Status, Unavailable, Waiting};
use tokio::sync::{mpsc, watch};

/// Issues credentials when the test says so, and the next one when one is rejected.
pub(crate) struct Fake {
    headers: fn(u64) -> Vec<(&'static str, String)>,
    state: watch::Sender<State>,
    watchers: Mutex<Vec<mpsc::UnboundedSender<Arc<Credential>>>>,
    rejected: Mutex<Vec<u64>>,
    when_rejected: WhenRejected,
}

/// What becomes of a credential that is rejected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WhenRejected {
    /// The next one is there at once.
    Next,
    /// It is not held any more.
    Gone,
    /// It stays.
    Stays,
}

#[derive(Default)]
struct State {
    issued: u64,
    held: Option<Arc<Credential>>,
    problem: Option<Unavailable>,
}

/// `Bearer NAME-GENERATION`.
pub(crate) fn bearer(generation: u64) -> Vec<(&'static str, String)> {
    vec![("authorization", format!("Bearer token-{generation}"))]
}

impl Fake {
    /// Holds nothing yet.
    pub(crate) fn empty(headers: fn(u64) -> Vec<(&'static str, String)>) -> Arc<Self> {
        Self::with(headers, WhenRejected::Next)
    }

    /// Holds generation 1 of a bearer.
    pub(crate) fn bearer() -> Arc<Self> {
        let fake = Self::empty(bearer);
        fake.issue();
        fake
    }

    /// Holds generation 1 of a bearer, and nothing once that is rejected.
    pub(crate) fn slow_bearer() -> Arc<Self> {
        let fake = Self::with(bearer, WhenRejected::Gone);
        fake.issue();
        fake
    }

    /// Holds generation 1 of a bearer, as a static key is held.
    pub(crate) fn last_bearer() -> Arc<Self> {
        let fake = Self::with(bearer, WhenRejected::Stays);
        fake.issue();
        fake
    }

    fn with(headers: fn(u64) -> Vec<(&'static str, String)>, when_rejected: WhenRejected) -> Arc<Self> {
        Arc::new(Self {
            headers,
            state: watch::Sender::default(),
            watchers: Mutex::default(),
            rejected: Mutex::default(),
            when_rejected,
        })
    }

    /// The next credential.
    pub(crate) fn issue(&self) -> u64 {
        let mut generation = 0;
        self.state.send_modify(|state| {
            state.issued += 1;
            generation = state.issued;
            let headers = (self.headers)(generation)
                .into_iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap()));
            let api = Uri::from_static("https://api.example/v1");
            let credential = Arc::new(Credential::new(headers.collect(), api, generation, None, None));
            self.watchers.lock().unwrap().retain(|watcher| watcher.send(Arc::clone(&credential)).is_ok());
            state.held = Some(credential);
            state.problem = None;
        });
        generation
    }

    /// Nothing is held any more, for this reason.
    pub(crate) fn fail(&self, problem: Unavailable) {
        self.state.send_modify(|state| {
            state.held = None;
            state.problem = Some(problem);
        });
    }

    /// The connection ends: whoever watches it is told.
    pub(crate) fn end(&self) {
        self.watchers.lock().unwrap().clear();
    }

    /// How many watch it.
    pub(crate) fn watchers(&self) -> usize {
        let mut watchers = self.watchers.lock().unwrap();
        watchers.retain(|watcher| !watcher.is_closed());
        watchers.len()
    }

    /// What was rejected, in order.
    pub(crate) fn rejected(&self) -> Vec<u64> {
        self.rejected.lock().unwrap().clone()
    }
}

impl Connection for Fake {
    fn credential(&self) -> Option<Arc<Credential>> {
        self.state.borrow().held.clone()
    }

    fn ready(&self, within: Duration) -> Waiting<'_> {
        Box::pin(async move {
            let mut states = self.state.subscribe();
            let settled = states.wait_for(|state| state.held.is_some() || state.problem.is_some());
            let settled =
                tokio::time::timeout(within, settled).await.expect("a test waits for nothing").unwrap();
            settled.held.clone().ok_or_else(|| settled.problem.clone().unwrap())
        })
    }

    fn reject(&self, generation: u64) {
        self.rejected.lock().unwrap().push(generation);
        let held = self.credential().is_some_and(|held| held.generation() == generation);
        match self.when_rejected {
            WhenRejected::Next if held => {
                self.issue();
            }
            WhenRejected::Gone if held => self.state.send_modify(|state| state.held = None),
            _ => {}
        }
    }

    fn status(&self) -> Status {
        Status::default()
    }

    fn changes(&self) -> Changes {
        let (watcher, watched) = mpsc::unbounded_channel();
        if let Some(held) = self.credential() {
            watcher.send(held).unwrap();
        }
        self.watchers.lock().unwrap().push(watcher);
        Box::pin(Watched(watched))
    }
}

struct Watched(mpsc::UnboundedReceiver<Arc<Credential>>);

impl Stream for Watched {
    type Item = Arc<Credential>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}
