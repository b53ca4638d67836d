//! The API's answer on its way to the client, piece by piece as it comes.

use wasi::http::types::{
    Fields, IncomingBody, IncomingResponse, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};

use crate::{headers, patience};

/// Bytes that are read at once.
const PIECE: u64 = 65_536;

/// An answer whose head the client has. The streams stand before the bodies that they belong to.
pub(crate) struct Download {
    source: InputStream,
    incoming: IncomingBody,
    sink: OutputStream,
    outgoing: OutgoingBody,
    /// Read and not yet written.
    piece: Vec<u8>,
    at: usize,
    waits_for_sink: bool,
}

/// How an answer goes on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Course {
    Going,
    /// All of it is out.
    Complete,
    /// The client has gone, or might as well have.
    Unwanted,
    /// The API broke off, or fell silent.
    Broken,
}

impl Download {
    /// Answers the client with this head. `None`: the host has no such answer, and the client got none.
    pub(crate) fn begin(response: &IncomingResponse, out: ResponseOutparam) -> Option<Self> {
        let head = headers::incoming(response.headers().entries());
        let outgoing = Fields::from_list(&head).ok().map(OutgoingResponse::new);
        let Some(outgoing) = outgoing.filter(|outgoing| outgoing.set_status_code(response.status()).is_ok())
        else {
            crate::refusal::Refusal::Failed.answer(out);
            return None;
        };
        let body = outgoing.body();
        ResponseOutparam::set(out, Ok(outgoing));
        let outgoing = body.ok()?;
        let sink = outgoing.write().ok()?;
        let incoming = response.consume().ok()?;
        let source = incoming.stream().ok()?;
        Some(Self { source, incoming, sink, outgoing, piece: Vec::new(), at: 0, waits_for_sink: false })
    }

    /// Moves what can be moved without waiting.
    pub(crate) fn advance(&mut self) -> Course {
        loop {
            let rest = self.piece.get(self.at..).unwrap_or_default();
            if rest.is_empty() {
                match self.source.read(PIECE) {
                    Ok(piece) if piece.is_empty() => {
                        self.waits_for_sink = false;
                        return Course::Going;
                    }
                    Ok(piece) => (self.piece, self.at) = (piece, 0),
                    Err(StreamError::Closed) => return Course::Complete,
                    Err(StreamError::LastOperationFailed(_)) => return Course::Broken,
                }
                continue;
            }
            let Ok(room) = self.sink.check_write() else { return Course::Unwanted };
            let room = usize::try_from(room).unwrap_or(usize::MAX).min(rest.len());
            let rest = rest.get(..room).unwrap_or_default();
            if rest.is_empty() {
                self.waits_for_sink = true;
                return Course::Going;
            }
            // Flushed each time: an event of a stream is not to wait for the next one.
            if self.sink.write(rest).and_then(|()| self.sink.flush()).is_err() {
                return Course::Unwanted;
            }
            self.at += room;
        }
    }

    /// Ready when [`Self::advance`] has something to do; and for how many seconds to wait for that.
    pub(crate) fn pollable(&self) -> (Pollable, u64) {
        if self.waits_for_sink {
            (self.sink.subscribe(), patience::READING)
        } else {
            (self.source.subscribe(), patience::ANSWER)
        }
    }

    /// Ends the answer as the API ended it: with its trailers, or broken off, so that nobody takes a part for the whole.
    pub(crate) fn end(self, course: Course) {
        let Self { source, incoming, sink, outgoing, .. } = self;
        drop((source, sink));
        let trailers = match course {
            // A body that is dropped unfinished breaks off (wasi:http, `outgoing-body`).
            Course::Broken | Course::Going => return,
            Course::Complete => trailers(incoming),
            Course::Unwanted => None,
        };
        let _ = OutgoingBody::finish(outgoing, trailers);
    }
}

/// What came after the body, where something did.
fn trailers(incoming: IncomingBody) -> Option<Fields> {
    let trailers = IncomingBody::finish(incoming);
    trailers.subscribe().block();
    let Some(Ok(Ok(Some(trailers)))) = trailers.get() else { return None };
    let trailers = headers::incoming(trailers.entries());
    // Some hosts give empty ones, and take none.
    if trailers.is_empty() { None } else { Fields::from_list(&trailers).ok() }
}
