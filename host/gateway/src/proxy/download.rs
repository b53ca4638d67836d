//! The body of an answer on its way to the client, as it comes. What does not come is not read ahead: a client that reads
//! slowly makes the upstream wait.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::counters::Counters;
use super::origin::Used;
use super::patience::Patience;
use crate::service::BoxError;

/// An answer's body. When it has ended, its connection is free for the next request.
pub(super) struct Download {
    incoming: Incoming,
    used: Option<Used>,
    patience: Patience,
    counters: Arc<Counters>,
    ended: bool,
}

impl Download {
    /// `silence`: how long the upstream may send nothing.
    pub(super) fn new(incoming: Incoming, used: Used, silence: Duration, counters: Arc<Counters>) -> Self {
        Self { incoming, used: Some(used), patience: Patience::new(silence), counters, ended: false }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.patience.renew();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                this.counters.cut();
                tracing::debug!(%error, "an upstream ended an answer early");
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(None) => {
                this.ended = true;
                Poll::Ready(None)
            }
            Poll::Pending => {
                let silent = ready!(this.patience.poll(cx));
                this.counters.timed_out();
                Poll::Ready(Some(Err(silent.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if let Some(used) = self.used.take()
            && (self.ended || self.incoming.is_end_stream())
        {
            used.give_back();
        }
    }
}
