//! How code without I/O asks for I/O.
//!
//! Sources and exchanges are straight `async` functions over [`Io`]. Asking puts an [`Effect`] into an outbox; the
//! adapter takes it from there, does it with whatever its host has, and reports an answer under the same id. Nothing
//! here knows a runtime: the only poll loop is the one in [`crate::machine`].

use alloc::borrow::ToOwned as _;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::http_date;
use crate::secret::{Secret, SecretBytes};

/// The present moment on both clocks, in milliseconds. Handed in with every call, so that a run can be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Now {
    /// Since the Unix epoch. May step in either direction.
    pub wall_ms: u64,
    /// Since any fixed moment. Never steps, but stands still while a machine is suspended.
    pub monotonic_ms: u64,
}

/// What an adapter has to do.
pub enum Effect {
    /// Read a whole file; a larger one is [`FileFault::TooLarge`].
    ReadFile {
        /// Names the effect in the answer.
        id: u64,
        /// As the document spells it.
        path: String,
        /// In bytes.
        limit: usize,
    },
    /// Send a request and collect the answer.
    Send {
        /// Names the effect in the answer.
        id: u64,
        /// What to send.
        request: Request,
    },
    /// Ask the component that gives identity tokens: the source `custom`.
    AskSource {
        /// Names the effect in the answer.
        id: u64,
        /// Whom the token is for, where the document says.
        audience: Option<String>,
    },
    /// The answer is no longer wanted.
    Cancel {
        /// Of the effect to give up.
        id: u64,
    },
}

/// One HTTP request. Redirects are never followed.
pub struct Request {
    /// Upper case.
    pub method: &'static str,
    /// Absolute, with the query if there is one.
    pub url: String,
    /// To send as they are, beside `host`. `content-length` is among them: without it some hosts send chunks.
    pub headers: Vec<(&'static str, Secret)>,
    /// Often holds a secret.
    pub body: SecretBytes,
    /// From connecting to the last byte of the answer.
    pub timeout_ms: u64,
    /// A longer body, counted after decoding, is [`SendFault::TooLarge`].
    pub response_limit: usize,
}

/// A complete answer.
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// As received; names in any case.
    pub headers: Vec<(String, String)>,
    /// Often holds a secret.
    pub body: SecretBytes,
}

impl Response {
    /// The first header of that name. `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Why a file could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFault {
    /// There is no such file.
    Missing,
    /// The host did not grant it.
    Denied,
    /// It is a directory, a pipe or a device.
    NotAFile,
    /// It exceeds the limit.
    TooLarge,
    /// Anything else.
    Failed,
}

/// Why there is no complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFault {
    /// The host did not grant this endpoint.
    Denied,
    /// The name did not resolve.
    Unresolved,
    /// No connection.
    Unreachable,
    /// The TLS handshake failed.
    Untrusted,
    /// The host has no usable client certificate to present.
    NoCertificate,
    /// The deadline passed.
    TimedOut,
    /// The connection broke.
    Broken,
    /// The body exceeds the limit.
    TooLarge,
}

/// Why the component of the source `custom` gave no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceFault {
    /// The adapter has no way to ask one.
    Absent,
    /// Its own words, or the host's if it broke. Somebody else's text: of any length, with anything in it.
    Failed(String),
}

/// What became of an effect.
pub(crate) enum Answer {
    File(Result<SecretBytes, FileFault>),
    Response(Result<Response, SendFault>),
    Source(Result<Secret, SourceFault>),
}

#[derive(Default)]
struct Mailbox {
    now: Now,
    last_id: u64,
    outbox: Vec<Effect>,
    /// Effects under way; `Some` once answered.
    open: Vec<(u64, Option<Answer>)>,
    /// Monotonic moment that the running code waits for.
    timer: Option<u64>,
    /// Unix milliseconds of the last answer's `Date`, and the monotonic moment at which it came.
    dated: Option<(u64, u64)>,
}

/// The handle through which sources and exchanges see the world.
#[derive(Clone, Default)]
pub struct Io(Rc<RefCell<Mailbox>>);

impl Io {
    /// The moment of the step that runs.
    #[must_use]
    pub fn now(&self) -> Now {
        self.0.borrow().now
    }

    /// The moment by which an identity token is judged: the earlier of this machine's wall clock and [`Self::their_wall_ms`].
    ///
    /// A wall clock that was set ahead makes every identity token look old. Being wrong here costs a refusal; being right
    /// keeps the connection alive.
    #[must_use]
    pub fn now_by_either_clock(&self) -> Now {
        let Now { wall_ms, monotonic_ms } = self.now();
        Now { wall_ms: self.their_wall_ms().map_or(wall_ms, |theirs| theirs.min(wall_ms)), monotonic_ms }
    }

    /// Unix milliseconds by the clock of whoever answered last with a `Date`, carried on by the monotonic clock.
    #[must_use]
    pub fn their_wall_ms(&self) -> Option<u64> {
        let mailbox = self.0.borrow();
        let (date, at) = mailbox.dated?;
        Some(date.saturating_add(mailbox.now.monotonic_ms.saturating_sub(at)))
    }

    /// The content of a file of at most `limit` bytes.
    pub async fn read_file(&self, path: &str, limit: usize) -> Result<SecretBytes, FileFault> {
        let path = path.to_owned();
        match self.ask(|id| Effect::ReadFile { id, path, limit }).await {
            Answer::File(result) => result,
            Answer::Response(_) | Answer::Source(_) => Err(FileFault::Failed),
        }
    }

    /// The answer to a request.
    pub async fn send(&self, request: Request) -> Result<Response, SendFault> {
        let result = match self.ask(|id| Effect::Send { id, request }).await {
            Answer::Response(result) => result,
            Answer::File(_) | Answer::Source(_) => Err(SendFault::Broken),
        };
        if let Some(date) =
            result.as_ref().ok().and_then(|response| response.header("date")).and_then(http_date::unix_ms)
        {
            let mut mailbox = self.0.borrow_mut();
            mailbox.dated = Some((date, mailbox.now.monotonic_ms));
        }
        result
    }

    /// What the component of the source `custom` gives; whether it is a token is for the caller to see.
    pub async fn ask_source(&self, audience: Option<&str>) -> Result<Secret, SourceFault> {
        let audience = audience.map(str::to_owned);
        match self.ask(|id| Effect::AskSource { id, audience }).await {
            Answer::Source(result) => result,
            Answer::File(_) | Answer::Response(_) => Err(SourceFault::Absent),
        }
    }

    /// Lets time pass.
    pub async fn wait(&self, ms: u64) {
        let until = self.now().monotonic_ms.saturating_add(ms);
        poll_fn(|_| {
            let mut mailbox = self.0.borrow_mut();
            if mailbox.now.monotonic_ms >= until {
                return Poll::Ready(());
            }
            mailbox.timer = Some(mailbox.timer.map_or(until, |timer| timer.min(until)));
            Poll::Pending
        })
        .await;
    }

    fn ask(&self, effect: impl FnOnce(u64) -> Effect) -> Reply {
        let mut mailbox = self.0.borrow_mut();
        mailbox.last_id += 1;
        let id = mailbox.last_id;
        mailbox.open.push((id, None));
        mailbox.outbox.push(effect(id));
        Reply { io: self.clone(), id }
    }

    pub(crate) fn set_now(&self, now: Now) {
        let mut mailbox = self.0.borrow_mut();
        mailbox.now = now;
        mailbox.timer = None;
    }

    /// An answer to an effect that nobody waits for any more is dropped.
    pub(crate) fn deliver(&self, id: u64, answer: Answer) {
        if let Some((_, slot)) = self.0.borrow_mut().open.iter_mut().find(|(other, _)| *other == id) {
            *slot = Some(answer);
        }
    }

    pub(crate) fn take_effects(&self) -> Vec<Effect> {
        core::mem::take(&mut self.0.borrow_mut().outbox)
    }

    pub(crate) fn timer(&self) -> Option<u64> {
        self.0.borrow().timer
    }
}

struct Reply {
    io: Io,
    id: u64,
}

impl Future for Reply {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Answer> {
        let mut mailbox = self.io.0.borrow_mut();
        let answered = mailbox.open.iter().position(|(id, answer)| *id == self.id && answer.is_some());
        match answered.and_then(|index| mailbox.open.swap_remove(index).1) {
            Some(answer) => {
                if mailbox.open.is_empty() {
                    // Nothing is under way for nearly all of a connection's life: then it holds no room for it.
                    mailbox.open = Vec::new();
                }
                Poll::Ready(answer)
            }
            None => Poll::Pending,
        }
    }
}

/// Whoever stops waiting takes the question back.
impl Drop for Reply {
    fn drop(&mut self) {
        let mut mailbox = self.io.0.borrow_mut();
        let id = self.id;
        let Some(index) = mailbox.open.iter().position(|(other, _)| *other == id) else { return };
        mailbox.open.swap_remove(index);
        let unsent = mailbox.outbox.iter().position(|effect| match effect {
            Effect::ReadFile { id: other, .. }
            | Effect::Send { id: other, .. }
            | Effect::AskSource { id: other, .. } => *other == id,
            Effect::Cancel { .. } => false,
        });
        match unsent {
            Some(index) => drop(mailbox.outbox.remove(index)),
            None => mailbox.outbox.push(Effect::Cancel { id }),
        }
    }
}
