//! What the layers for HTTP clients share: a credential for each request, the one place that it may go to, and one more
//! after a 401.

mod place;

use std::time::Duration;

use http::{HeaderMap, StatusCode, Uri};

use crate::{Connection, Credential, CredentialRef, Error};

/// How long a request waits for a credential, unless the program says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection, as a request sees it.
#[derive(Clone)]
pub(crate) struct Credentials {
    connection: Connection,
    patience: Duration,
}

impl Credentials {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, patience: PATIENCE }
    }

    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// The credential held; waits for the first one, and for one to follow an expired one.
    ///
    /// # Errors
    /// As [`Connection::ready`].
    pub(crate) async fn current(&self) -> Result<CredentialRef, Error> {
        match self.connection.credential() {
            Some(credential) => Ok(credential),
            None => self.connection.ready(self.patience).await,
        }
    }

    /// The credential to send the request once more with, after an answer of this status to the credential of generation
    /// `used`. `None`: that answer stands, because it is no 401, because the request is not `repeatable`, or because no other
    /// credential comes in time. A 401 counts against the credential in any case.
    pub(crate) async fn next(
        &self,
        status: StatusCode,
        used: u64,
        repeatable: bool,
    ) -> Option<CredentialRef> {
        if status != StatusCode::UNAUTHORIZED {
            return None;
        }
        self.connection.reject(used);
        if !repeatable {
            return None;
        }
        let next = self.connection.ready(self.patience).await.ok()?;
        (next.generation() > used).then_some(next)
    }
}

/// Sets the credential on a request to `target`.
///
/// # Errors
/// `request-elsewhere` ([`ErrorKind::Invalid`](crate::ErrorKind::Invalid)): that is not the API which the credential opens.
pub(crate) fn set(credential: &Credential, target: &Uri, headers: &mut HeaderMap) -> Result<(), Error> {
    place::check(credential.base_url(), target)?;
    credential.apply(headers);
    Ok(())
}
