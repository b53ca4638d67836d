//! A connection of the library as the gateway sees it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_core::Stream;
use http::{HeaderName, HeaderValue};
use keyless_gateway::{Changes, Credential, Status, Unavailable, Waiting};

/// A connection that is served. Keeps the last credential in the gateway's form, so that handing it out is a pointer's copy.
pub(crate) struct Served {
    connection: keyless::Connection,
    last: ArcSwapOption<Credential>,
}

impl Served {
    pub(crate) fn new(connection: keyless::Connection) -> Self {
        Self { connection, last: ArcSwapOption::empty() }
    }

    fn share(&self, held: &keyless::Credential) -> Option<Arc<Credential>> {
        if let Some(last) = &*self.last.load()
            && last.generation() == held.generation()
        {
            return Some(Arc::clone(last));
        }
        let converted = convert(held).map(Arc::new);
        self.last.store(converted.clone());
        converted
    }
}

/// `None` for what no request can carry, which the library has checked before.
fn convert(held: &keyless::Credential) -> Option<Credential> {
    let headers = held.headers().map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
    });
    let headers = headers.collect::<Option<Vec<_>>>()?;
    let base_url = held.base_url().parse().ok()?;
    Some(Credential::new(headers, base_url, held.generation(), held.renew_at(), held.expires_at()))
}

impl keyless_gateway::Connection for Served {
    fn credential(&self) -> Option<Arc<Credential>> {
        self.share(&*self.connection.credential()?)
    }

    fn ready(&self, within: Duration) -> Waiting<'_> {
        Box::pin(async move {
            let held = self.connection.ready(within).await.map_err(|error| unavailable(&error))?;
            self.share(&held).ok_or_else(|| Unavailable {
                code: "credential-unusable".to_owned(),
                message: "the credential does not fit into a request; look at the API's base URL".to_owned(),
                retry_after: None,
            })
        })
    }

    fn reject(&self, generation: u64) {
        self.connection.reject(generation);
    }

    fn status(&self) -> Status {
        let status = self.connection.status();
        Status {
            phase: status.phase.as_str(),
            usable: self.connection.credential().is_some(),
            generation: status.generation,
            renewals: status.renewals,
            failures: status.failures,
            failures_in_a_row: status.failures_in_a_row,
            replacements: status.replacements,
            next_attempt_at: status.next_attempt_at,
            expires_at: status.expires_at,
            last_problem: status.last_error.as_ref().map(unavailable),
        }
    }

    fn changes(&self) -> Changes {
        let changes = self.connection.changes();
        Box::pin(Following { waiting: Box::pin(next(changes)) })
    }
}

fn unavailable(error: &keyless::Error) -> Unavailable {
    Unavailable {
        code: error.code.to_string(),
        message: error.message.clone(),
        retry_after: error.retry_after,
    }
}

/// The next credential, and where to go on from.
type Next = Pin<Box<dyn Future<Output = Option<(Arc<Credential>, keyless::Changes)>> + Send>>;

async fn next(mut changes: keyless::Changes) -> Option<(Arc<Credential>, keyless::Changes)> {
    loop {
        let held = changes.credential().await?;
        if let Some(credential) = convert(&held) {
            drop(held);
            return Some((Arc::new(credential), changes));
        }
    }
}

/// `keyless::Changes` as a stream.
struct Following {
    waiting: Next,
}

impl Stream for Following {
    type Item = Arc<Credential>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.waiting.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => {
                self.waiting = Box::pin(async { None });
                Poll::Ready(None)
            }
            Poll::Ready(Some((credential, changes))) => {
                self.waiting = Box::pin(next(changes));
                Poll::Ready(Some(credential))
            }
        }
    }
}
