//! The credential as this worker sets it on each request: in its own memory, with nothing left to look up or to build.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use keyless_engine::machine::Credential;
use keyless_engine::secret::Secret;

use crate::host;

const AUTHORIZATION: &str = "authorization";

/// A credential that may be set.
pub(crate) struct Ready {
    headers: Vec<(String, Secret)>,
    /// What a client sends there goes no further, even where the credential has no header of that name.
    removes_authorization: bool,
    generation: u64,
    /// Streams are numbered in the order in which they come: one with a smaller number got an earlier credential.
    since: u32,
}

impl Ready {
    pub(crate) fn new(credential: &Credential<'_>, since: u32) -> Self {
        let headers: Vec<_> =
            credential.headers.iter().map(|(name, value)| (name.to_owned(), value.prefixed(""))).collect();
        let removes_authorization = headers.iter().all(|(name, _)| name != AUTHORIZATION);
        Self { headers, removes_authorization, generation: credential.generation, since }
    }

    /// On the request of the context that is acted for.
    pub(crate) fn set(&self) {
        for (name, value) in &self.headers {
            host::set_request_header(name, value.expose());
        }
        if self.removes_authorization {
            host::remove_request_header(AUTHORIZATION);
        }
    }

    /// The one that authenticates first.
    pub(crate) fn headers(&self) -> &[(String, Secret)] {
        &self.headers
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the request of that stream had this credential.
    pub(crate) fn was_set_on(&self, stream: u32) -> bool {
        stream >= self.since
    }
}
