//! Response bodies: whole, in paced pieces, endless, and torn off in the middle.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use tokio::time::{Instant, Sleep, sleep};

/// Any of them.
pub(crate) type Body = UnsyncBoxBody<Bytes, Cut>;

/// The sandbox breaks the connection off, on purpose.
#[derive(Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection broken off on purpose")
    }
}

impl std::error::Error for Cut {}

/// All at once, with its length announced.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// One piece after the other, `pause` apart; the first at once.
pub(crate) fn paced(pieces: impl IntoIterator<Item = Bytes>, pause: Duration) -> Body {
    Paced { pieces: pieces.into_iter().collect(), pause, timer: Box::pin(sleep(Duration::ZERO)) }
        .boxed_unsync()
}

/// `start`, then `filler` for as long as the other side reads.
pub(crate) fn endless(start: &'static str, filler: &'static [u8]) -> Body {
    Endless { start: Some(Bytes::from_static(start.as_bytes())), filler: Bytes::from_static(filler) }
        .boxed_unsync()
}

/// What happens after the first part of a torn body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tear {
    /// The connection breaks.
    Break,
    /// Nothing more comes, and nothing ends.
    Stall,
}

/// `first`, which is on its way before the tear. `announced` is the length that the header promises.
pub(crate) fn torn(first: Bytes, announced: u64, tear: Tear) -> Body {
    Torn { first: Some(first), announced, tear, flushing: true }.boxed_unsync()
}

struct Paced {
    pieces: VecDeque<Bytes>,
    pause: Duration,
    timer: Pin<Box<Sleep>>,
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        std::task::ready!(self.timer.as_mut().poll(cx));
        let piece = self.pieces.pop_front();
        let pause = self.pause;
        self.timer.as_mut().reset(Instant::now() + pause);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }
}

struct Endless {
    start: Option<Bytes>,
    filler: Bytes,
}

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let piece = self.start.take().unwrap_or_else(|| self.filler.clone());
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

struct Torn {
    first: Option<Bytes>,
    announced: u64,
    tear: Tear,
    flushing: bool,
}

impl HttpBody for Torn {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if self.tear == Tear::Stall {
            return Poll::Pending;
        }
        if self.flushing {
            // A server writes out what it has buffered only when there is nothing more to be had for the moment.
            self.flushing = false;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(Cut)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
