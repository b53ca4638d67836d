//! The body of a request on its way to the API. What of it is short is kept while it passes, so that it can be sent once
//! more; nothing else is held back, and nothing is read before the API takes it.

use wasi::http::types::{ErrorCode, IncomingBody, IncomingRequest, OutgoingBody};
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};

use crate::patience::{self, wait};
use crate::refusal::Refusal;

/// Bytes of a body that are kept, as in the proxy of `keyless serve`. More is sent once.
const KEPT: usize = 65_536;

/// Bytes that are read at once.
const PIECE: u64 = 65_536;

const BROKEN: Refusal =
    Refusal::Request(400, "upload-broken", "the body of the request is not as long or as framed as it says");

/// Also for a body that never begins.
pub(crate) const STALLED: Refusal =
    Refusal::Request(408, "upload-stalled", "the body of the request stopped coming");

/// A client's body.
pub(crate) struct Upload {
    /// `None`: all of it was read.
    source: Option<Source>,
    /// From the beginning on, or none of it when it is `over`.
    kept: Vec<u8>,
    over: bool,
}

/// The stream stands before the body it belongs to: `wasi:http` wants it dropped first.
struct Source {
    stream: InputStream,
    _body: IncomingBody,
}

/// One sending of it. As in [`Source`], the stream before the body.
pub(crate) struct Sending {
    stream: Option<OutputStream>,
    body: Option<OutgoingBody>,
    /// How much of what is kept was sent.
    at: usize,
    /// Read and not yet sent, where nothing is kept.
    rest: Vec<u8>,
    /// What to wait for.
    waits: Waits,
}

#[derive(Clone, Copy, PartialEq)]
enum Waits {
    Source,
    Sink,
    /// All of it is out, or the API takes no more.
    Nothing,
}

impl Upload {
    /// Waits for the first piece or the end: a request without a body is to be sent as one, and whether it has one shows in
    /// no header in HTTP/2.
    pub(crate) fn of(request: &IncomingRequest) -> Result<Self, Refusal> {
        let body = request.consume().map_err(|()| BROKEN)?;
        let stream = body.stream().map_err(|()| BROKEN)?;
        let mut upload = Self { source: Some(Source { stream, _body: body }), kept: Vec::new(), over: false };
        while upload.kept.is_empty() {
            let Some(source) = &upload.source else { break };
            match source.stream.read(PIECE) {
                Ok(piece) if piece.is_empty() => {
                    if !wait([Some(source.stream.subscribe()), None], patience::UPLOAD) {
                        return Err(STALLED);
                    }
                }
                Ok(piece) => upload.kept = piece,
                Err(StreamError::Closed) => upload.source = None,
                Err(StreamError::LastOperationFailed(_)) => return Err(BROKEN),
            }
        }
        Ok(upload)
    }

    /// There is no body.
    pub(crate) fn is_empty(&self) -> bool {
        self.source.is_none() && self.kept.is_empty() && !self.over
    }

    /// Whether it can be sent from its beginning.
    pub(crate) fn is_kept(&self) -> bool {
        !self.over
    }

    /// Moves what can be moved without waiting.
    pub(crate) fn advance(&mut self, sending: &mut Sending) -> Result<(), Refusal> {
        while let Some(stream) = &sending.stream {
            let piece = if self.over {
                sending.rest.as_slice()
            } else {
                self.kept.get(sending.at..).unwrap_or_default()
            };
            if piece.is_empty() {
                let Some(source) = &self.source else {
                    sending.finish();
                    return Ok(());
                };
                match source.stream.read(PIECE) {
                    Ok(piece) if piece.is_empty() => {
                        sending.waits = Waits::Source;
                        return Ok(());
                    }
                    Ok(piece) => self.take(piece, sending),
                    Err(StreamError::Closed) => self.source = None,
                    Err(StreamError::LastOperationFailed(_)) => return Err(BROKEN),
                }
                continue;
            }
            let sent = match stream.check_write() {
                Ok(0) => {
                    sending.waits = Waits::Sink;
                    return Ok(());
                }
                Ok(room) => {
                    let room = usize::try_from(room).unwrap_or(usize::MAX).min(piece.len());
                    let piece = piece.get(..room).unwrap_or(piece);
                    stream.write(piece).map(|()| piece.len())
                }
                Err(error) => Err(error),
            };
            match sent {
                Ok(sent) if self.over => drop(sending.rest.drain(..sent)),
                Ok(sent) => sending.at += sent,
                // The API takes no more. Why, its answer says, or the lack of one.
                Err(_) => sending.give_up(),
            }
        }
        Ok(())
    }

    /// Keeps it, or nothing from now on.
    fn take(&mut self, piece: Vec<u8>, sending: &mut Sending) {
        if !self.over && self.kept.len() + piece.len() <= KEPT {
            self.kept.extend_from_slice(&piece);
            return;
        }
        // All that was kept is sent already: it is taken from here first.
        self.over = true;
        self.kept = Vec::new();
        sending.rest = piece;
    }

    /// Ready when [`Self::advance`] has something to do; and for how many seconds to wait for that. `None`: it never will.
    pub(crate) fn pollable(&self, sending: &Sending) -> Option<(Pollable, u64)> {
        match sending.waits {
            Waits::Source => self.source.as_ref().map(|source| (source.stream.subscribe(), patience::UPLOAD)),
            Waits::Sink => sending.stream.as_ref().map(|stream| (stream.subscribe(), patience::ANSWER)),
            Waits::Nothing => None,
        }
    }
}

impl Sending {
    pub(crate) fn new(body: OutgoingBody) -> Result<Self, Refusal> {
        let stream = body.write().map_err(|()| Refusal::NoAnswer(ErrorCode::InternalError(None)))?;
        Ok(Self { stream: Some(stream), body: Some(body), at: 0, rest: Vec::new(), waits: Waits::Sink })
    }

    fn finish(&mut self) {
        self.waits = Waits::Nothing;
        self.stream = None;
        if let Some(body) = self.body.take() {
            // A body that is not as long as its header said is the client's fault, and the host gives the request up.
            let _ = OutgoingBody::finish(body, None);
        }
    }

    /// The body is held as it is until the answer is through: to drop it unfinished would end the connection.
    fn give_up(&mut self) {
        self.waits = Waits::Nothing;
        self.stream = None;
    }
}
