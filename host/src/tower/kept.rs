//! The body of a request, which passes as it comes. What of it is short is kept, so that it can be sent once more.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::BoxError;

/// A request's body being sent: what of it was sent before, and then what comes.
///
/// Nothing is held back and nothing is read before the service inside takes it. At most the layer's
/// [replay limit](super::AuthorizeLayer::replay_limit) is kept, in the pieces in which it came.
pub struct Kept<B> {
    shared: Arc<Shared<B>>,
    /// Which reader this is. When there is a later one, this one ends with an error.
    number: u32,
    /// Pieces that were read.
    at: usize,
    trailers_read: bool,
}

/// Gives the body once more.
pub(super) struct Keeper<B>(Arc<Shared<B>>);

struct Shared<B> {
    limit: usize,
    state: Mutex<State<B>>,
}

struct State<B> {
    /// What has not come yet. `None`: all has.
    rest: Option<Pin<Box<B>>>,
    pieces: Vec<Bytes>,
    /// Bytes in `pieces`.
    length: usize,
    trailers: Option<HeaderMap>,
    /// It was too long, or broke off: nothing is kept any more.
    lost: bool,
    reader: u32,
    /// Whoever waits for more.
    waiting: Option<Waker>,
}

impl<B: Body> Kept<B> {
    pub(super) fn new(body: B, limit: usize) -> (Self, Keeper<B>) {
        let too_long = body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX);
        let ended = body.is_end_stream();
        let state = State {
            rest: (!ended).then(|| Box::pin(body)),
            pieces: Vec::new(),
            length: 0,
            trailers: None,
            lost: !ended && (too_long || limit == 0),
            reader: 0,
            waiting: None,
        };
        let shared = Arc::new(Shared { limit, state: Mutex::new(state) });
        (Self::reader(Arc::clone(&shared), 0), Keeper(shared))
    }

    fn reader(shared: Arc<Shared<B>>, number: u32) -> Self {
        Self { shared, number, at: 0, trailers_read: false }
    }
}

impl<B: Body> Keeper<B> {
    /// Whether [`again`](Self::again) would give it now.
    pub(super) fn keeps(&self) -> bool {
        !self.0.state().lost
    }

    /// The body from its beginning; whoever read it before gets no more of it. `None`: it was not kept.
    pub(super) fn again(&self) -> Option<Kept<B>> {
        let mut state = self.0.state();
        if state.lost {
            return None;
        }
        state.reader += 1;
        if let Some(earlier) = state.waiting.take() {
            earlier.wake();
        }
        Some(Kept::reader(Arc::clone(&self.0), state.reader))
    }
}

impl<B> Shared<B> {
    fn state(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> State<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    /// The next frame of what has not come yet, kept on its way.
    fn poll_rest(
        &mut self,
        limit: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let Poll::Ready(frame) = rest.as_mut().poll_frame(cx) else {
            self.waiting = Some(cx.waker().clone());
            return Poll::Pending;
        };
        if frame.is_none() || rest.is_end_stream() {
            self.rest = None;
        }
        Poll::Ready(match frame {
            None => None,
            Some(Ok(frame)) => {
                let frame = frame.map_data(|mut data| data.copy_to_bytes(data.remaining()));
                self.keep(&frame, limit);
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                self.lose();
                self.rest = None;
                Some(Err(error.into()))
            }
        })
    }

    fn keep(&mut self, frame: &Frame<Bytes>, limit: usize) {
        if self.lost {
            return;
        }
        if let Some(data) = frame.data_ref() {
            self.length = self.length.saturating_add(data.len());
            self.pieces.push(data.clone());
        }
        if let Some(trailers) = frame.trailers_ref() {
            self.trailers = Some(trailers.clone());
        }
        if self.length > limit {
            self.lose();
        }
    }

    fn lose(&mut self) {
        self.lost = true;
        self.pieces = Vec::new();
        self.trailers = None;
    }
}

impl<B> Body for Kept<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let mut state = this.shared.state();
        if state.reader != this.number {
            return Poll::Ready(Some(Err("the request is being sent again".into())));
        }
        if let Some(piece) = state.pieces.get(this.at) {
            this.at += 1;
            return Poll::Ready(Some(Ok(Frame::data(piece.clone()))));
        }
        if state.rest.is_none() {
            let unread = !std::mem::replace(&mut this.trailers_read, true);
            let trailers = state.trailers.clone().filter(|_| unread);
            return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
        }
        let frame = ready!(state.poll_rest(this.shared.limit, cx));
        if let Some(Ok(frame)) = &frame {
            this.at += usize::from(frame.is_data());
            this.trailers_read |= frame.is_trailers();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let state = self.shared.state();
        state.rest.is_none()
            && self.at >= state.pieces.len()
            && (state.trailers.is_none() || self.trailers_read)
    }

    fn size_hint(&self) -> SizeHint {
        let state = self.shared.state();
        let unread: usize = state.pieces.iter().skip(self.at).map(Bytes::len).sum();
        let unread = u64::try_from(unread).unwrap_or(u64::MAX);
        let rest = state.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), |rest| rest.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(unread));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(unread));
        }
        hint
    }
}

impl<B> std::fmt::Debug for Kept<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("limit", &self.shared.limit).finish_non_exhaustive()
    }
}
