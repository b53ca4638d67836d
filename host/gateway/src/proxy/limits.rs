//! How long a proxy waits, and how much it keeps.

use std::time::Duration;

/// How long a proxy waits for others, each from when it began to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For a connection to the upstream, TLS included: the SDKs' own limit.
    pub(super) connect: Duration,
    /// For the head of an answer once the request is sent. A model that thinks before it speaks takes minutes: the SDKs of
    /// OpenAI and Anthropic wait ten.
    pub(super) answer: Duration,
    /// For the next piece of an answer.
    pub(super) silence: Duration,
    /// For the next piece of a request.
    pub(super) upload: Duration,
    /// For a credential: the first one, or the one after a 401.
    pub(super) credential: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(600),
            silence: Duration::from_secs(600),
            upload: Duration::from_secs(60),
            credential: Duration::from_secs(10),
        }
    }
}

/// Bytes of a request that are kept for a replay where the configuration says nothing.
pub(super) const REPLAY: usize = 64 * 1024;

/// Bytes of a request whose model has to be looked at, which is read whole: images in it are long.
pub(super) const MODEL_BODY: usize = 32 * 1024 * 1024;
