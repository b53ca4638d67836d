//! The body of a request on its way to the upstream. What of it is short is kept while it passes, so that it can be sent
//! once more; nothing else is held back, and nothing is read before the upstream takes it.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::patience::Patience;
use super::refusal::Refusal;
use crate::drain::drain;
use crate::service::BoxError;

/// A request's body, before it is sent, and after it if it was kept.
pub(super) enum Taken {
    /// There is none, or it was read whole.
    Whole(Bytes),
    /// It passes, and is kept.
    Kept(Arc<Kept>),
    /// It passes once. `None`: it has.
    Once { passing: Option<Passing>, progress: Arc<Progress> },
}

impl Taken {
    /// Keeps up to `limit` bytes.
    pub(super) fn new(passing: Passing, limit: usize) -> Self {
        if passing.is_at_end() {
            return Self::Whole(Bytes::new());
        }
        let too_long = passing.size().lower() > u64::try_from(limit).unwrap_or(u64::MAX);
        let progress = Arc::clone(&passing.progress);
        if limit == 0 || too_long {
            return Self::Once { passing: Some(passing), progress };
        }
        Self::Kept(Arc::new(Kept { limit, progress, state: Mutex::new(State::new(passing)) }))
    }

    /// The body, from its beginning. `None`: it was sent and not kept.
    pub(super) fn upload(&mut self) -> Option<Upload> {
        match self {
            Self::Whole(bytes) => Some(Upload::Whole(bytes.clone())),
            Self::Kept(kept) => Kept::reader(kept).map(Upload::Kept),
            Self::Once { passing, .. } => passing.take().map(Upload::Once),
        }
    }

    /// Nothing of it was sent.
    pub(super) fn put_back(&mut self, upload: Upload) {
        if let (Self::Once { passing, .. }, Upload::Once(unsent)) = (self, upload) {
            *passing = Some(unsent);
        }
    }

    /// Whether [`upload`](Self::upload) can give it once more.
    pub(super) fn is_kept(&self) -> bool {
        match self {
            Self::Whole(_) => true,
            Self::Kept(kept) => self.failure().is_none() && !kept.state().over,
            Self::Once { passing, .. } => passing.is_some(),
        }
    }

    /// Whether more of it has come since this was asked last.
    pub(super) fn has_moved(&self) -> bool {
        self.progress().is_some_and(|progress| progress.moved.swap(false, Ordering::Relaxed))
    }

    /// Why it does not come any more.
    pub(super) fn failure(&self) -> Option<Refusal> {
        let progress = self.progress()?;
        if progress.stalled.load(Ordering::Relaxed) {
            return Some(Refusal::UploadStalled);
        }
        progress.broken.load(Ordering::Relaxed).then_some(Refusal::UploadBroken)
    }

    fn progress(&self) -> Option<&Progress> {
        match self {
            Self::Whole(_) => None,
            Self::Kept(kept) => Some(&kept.progress),
            Self::Once { progress, .. } => Some(progress),
        }
    }
}

/// A request's body being sent.
pub(super) enum Upload {
    Whole(Bytes),
    Kept(Reader),
    Once(Passing),
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Kept(reader) => reader.poll(cx),
            Self::Once(passing) => passing.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Kept(reader) => reader.is_at_end(),
            Self::Once(passing) => passing.is_at_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Kept(reader) => reader.left.map_or_else(SizeHint::default, SizeHint::with_exact),
            Self::Once(passing) => passing.size(),
        }
    }
}

/// What a client sends, as it comes.
pub(super) struct Passing {
    /// `None`: it is being dropped.
    incoming: Option<Incoming>,
    patience: Patience,
    progress: Arc<Progress>,
}

/// How a client's sending goes.
#[derive(Default)]
pub(super) struct Progress {
    moved: AtomicBool,
    stalled: AtomicBool,
    broken: AtomicBool,
}

impl Passing {
    /// `silence`: how long the client may send nothing.
    pub(super) fn new(incoming: Incoming, silence: Duration) -> Self {
        Self { incoming: Some(incoming), patience: Patience::new(silence), progress: Arc::default() }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(incoming).poll_frame(cx) {
            self.patience.renew();
            let note =
                if matches!(frame, Some(Err(_))) { &self.progress.broken } else { &self.progress.moved };
            note.store(true, Ordering::Relaxed);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let silent = ready!(self.patience.poll(cx));
        self.progress.stalled.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(silent.into())))
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.incoming.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

/// For what reads it whole.
impl Body for Passing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.get_mut().poll(cx)
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let Some(incoming) = self.incoming.take() {
            drain(incoming);
        }
    }
}

/// What passes is kept, up to a limit.
pub(super) struct Kept {
    limit: usize,
    progress: Arc<Progress>,
    state: Mutex<State>,
}

struct State {
    passing: Passing,
    chunks: Vec<Bytes>,
    trailers: Option<HeaderMap>,
    length: usize,
    ended: bool,
    /// It was longer than the limit: nothing is kept any more.
    over: bool,
    /// Who reads. An earlier reader gets nothing more.
    reader: u32,
}

impl Kept {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From the beginning; readers before this one have ended.
    fn reader(kept: &Arc<Self>) -> Option<Reader> {
        let mut state = kept.state();
        if state.over {
            return None;
        }
        state.reader += 1;
        let rest = state.passing.size().exact();
        Some(Reader {
            number: state.reader,
            kept: Arc::clone(kept),
            at: 0,
            left: rest.map(|rest| rest + state.length as u64),
            trailers_read: false,
        })
    }
}

impl State {
    fn new(passing: Passing) -> Self {
        Self { passing, chunks: Vec::new(), trailers: None, length: 0, ended: false, over: false, reader: 0 }
    }

    fn keep(&mut self, frame: &Frame<Bytes>, limit: usize) {
        if let Some(trailers) = frame.trailers_ref() {
            self.trailers = Some(trailers.clone());
        }
        if let Some(data) = frame.data_ref() {
            self.length += data.len();
            if self.length > limit {
                self.over = true;
                self.chunks = Vec::new();
            }
            if !self.over {
                self.chunks.push(data.clone());
            }
        }
        self.ended = self.passing.is_at_end();
    }
}

/// Reads what was kept, and then what comes.
pub(super) struct Reader {
    kept: Arc<Kept>,
    number: u32,
    /// Chunks that were read.
    at: usize,
    /// Bytes that are left, where the length is known.
    left: Option<u64>,
    trailers_read: bool,
}

impl Reader {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut state = self.kept.state();
        if state.reader != self.number {
            return Poll::Ready(Some(Err("the body is being sent again".into())));
        }
        let frame = if let Some(chunk) = state.chunks.get(self.at) {
            Frame::data(chunk.clone())
        } else if state.ended {
            match state.trailers.clone() {
                Some(trailers) if !self.trailers_read => Frame::trailers(trailers),
                _ => return Poll::Ready(None),
            }
        } else {
            match ready!(state.passing.poll(cx)) {
                None => {
                    state.ended = true;
                    return Poll::Ready(None);
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => {
                    state.keep(&frame, self.kept.limit);
                    frame
                }
            }
        };
        drop(state);
        match frame.data_ref() {
            Some(data) => {
                self.at += 1;
                self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
            }
            None => self.trailers_read = true,
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_at_end(&self) -> bool {
        let state = self.kept.state();
        state.ended && self.at >= state.chunks.len() && (state.trailers.is_none() || self.trailers_read)
    }
}
