//! One HTTP exchange over `wasi:http`, as far as it goes without waiting each time somebody looks.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use keyless_engine::io::{Request, Response, SendFault};
use keyless_engine::secret::SecretBytes;
use wasi::clocks::monotonic_clock;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody, OutgoingRequest,
};
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};

use crate::{faults, target};

/// A request under way.
pub(crate) struct Exchange {
    state: State,
    response_limit: usize,
    deadline_ns: u64,
}

/// In this order.
enum State {
    Sending { upload: Upload, response: FutureIncomingResponse },
    Waiting(FutureIncomingResponse),
    Receiving { download: Download, response: Response },
    Failed(SendFault),
    Ended,
}

/// The stream stands before the body it belongs to: `wasi:http` wants it dropped first.
struct Upload {
    stream: OutputStream,
    body: OutgoingBody,
    content: SecretBytes,
    sent: usize,
}

/// As in [`Upload`], the stream before its body.
struct Download {
    stream: InputStream,
    _body: IncomingBody,
}

impl Exchange {
    /// Hands the request to the host.
    pub(crate) fn start(request: Request) -> Self {
        let response_limit = request.response_limit;
        let deadline_ns = monotonic_clock::now().saturating_add(request.timeout_ms.saturating_mul(1_000_000));
        let state = start(request).unwrap_or_else(State::Failed);
        Self { state, response_limit, deadline_ns }
    }

    /// Goes on; the answer once it is complete, or too late.
    pub(crate) fn progress(&mut self) -> Option<Result<Response, SendFault>> {
        let deadline_ns = self.deadline_ns;
        let overdue = || (monotonic_clock::now() >= deadline_ns).then_some(Err(SendFault::TimedOut));
        self.advance().or_else(overdue)
    }

    /// When it is given up, on WASI's monotonic clock.
    pub(crate) fn deadline_ns(&self) -> u64 {
        self.deadline_ns
    }

    fn advance(&mut self) -> Option<Result<Response, SendFault>> {
        loop {
            match core::mem::replace(&mut self.state, State::Ended) {
                State::Sending { mut upload, response } => match upload.progress() {
                    // An endpoint may answer, a host may fail, before everything is sent.
                    Ok(false) if response.subscribe().ready() => self.state = State::Waiting(response),
                    Ok(false) => {
                        self.state = State::Sending { upload, response };
                        return None;
                    }
                    Ok(true) => {
                        self.state =
                            upload.finish().map_or_else(State::Failed, |()| State::Waiting(response));
                    }
                    // The reason is the response's to tell.
                    Err(_) => self.state = State::Waiting(response),
                },
                // Only asking whether it is ready makes wasmtime look: until then `get` has nothing.
                State::Waiting(response) if !response.subscribe().ready() => {
                    self.state = State::Waiting(response);
                    return None;
                }
                State::Waiting(response) => match response.get() {
                    None => {
                        self.state = State::Waiting(response);
                        return None;
                    }
                    Some(Ok(Ok(response))) => self.state = receive(&response).unwrap_or_else(State::Failed),
                    Some(Ok(Err(code))) => self.state = State::Failed(faults::send(&code)),
                    Some(Err(())) => self.state = State::Failed(SendFault::Broken),
                },
                State::Receiving { download, mut response } => {
                    match fill(&download.stream, &mut response.body, self.response_limit) {
                        Ok(true) => return Some(Ok(response)),
                        Ok(false) => {
                            self.state = State::Receiving { download, response };
                            return None;
                        }
                        Err(fault) => self.state = State::Failed(fault),
                    }
                }
                State::Failed(fault) => return Some(Err(fault)),
                State::Ended => return Some(Err(SendFault::Broken)),
            }
        }
    }

    /// Ready when [`Self::progress`] has something to do.
    pub(crate) fn pollable(&self) -> Pollable {
        match &self.state {
            State::Sending { upload, .. } => upload.stream.subscribe(),
            State::Waiting(response) => response.subscribe(),
            State::Receiving { download, .. } => download.stream.subscribe(),
            State::Failed(_) | State::Ended => monotonic_clock::subscribe_duration(0),
        }
    }
}

fn start(request: Request) -> Result<State, SendFault> {
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.expose().as_bytes().to_vec()))
        .collect();
    let headers = Fields::from_list(&headers).map_err(|_| SendFault::Denied)?;
    let outgoing = OutgoingRequest::new(headers);
    let (scheme, authority, path) = target::split(&request.url).ok_or(SendFault::Denied)?;
    outgoing.set_method(&target::method(request.method)).map_err(|()| SendFault::Denied)?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| SendFault::Denied)?;
    outgoing.set_authority(Some(authority)).map_err(|()| SendFault::Denied)?;
    outgoing.set_path_with_query(Some(path)).map_err(|()| SendFault::Denied)?;
    let body = outgoing.body().map_err(|()| SendFault::Broken)?;
    let stream = body.write().map_err(|()| SendFault::Broken)?;
    // Without options: WASI has time-outs for phases and none for the whole, which is what counts (`deadline_ns`).
    // And wasmtime 48 never gives the handle of options back, one more for every request.
    let response = outgoing_handler::handle(outgoing, None).map_err(|code| faults::send(&code))?;
    let upload = Upload { stream, body, content: request.body, sent: 0 };
    Ok(State::Sending { upload, response })
}

impl Upload {
    /// Writes as much as the host takes now. True when everything is written.
    fn progress(&mut self) -> Result<bool, StreamError> {
        while let Some(rest) = self.content.get(self.sent..).filter(|rest| !rest.is_empty()) {
            let room = usize::try_from(self.stream.check_write()?).unwrap_or(usize::MAX);
            let Some(chunk) = rest.get(..room.min(rest.len())).filter(|chunk| !chunk.is_empty()) else {
                return Ok(false);
            };
            self.stream.write(chunk)?;
            self.sent += chunk.len();
        }
        Ok(true)
    }

    fn finish(self) -> Result<(), SendFault> {
        let Self { stream, body, .. } = self;
        drop(stream);
        OutgoingBody::finish(body, None).map_err(|code| faults::send(&code))
    }
}

fn receive(response: &IncomingResponse) -> Result<State, SendFault> {
    let headers = response.headers().entries();
    let headers = headers
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let body = response.consume().map_err(|()| SendFault::Broken)?;
    let stream = body.stream().map_err(|()| SendFault::Broken)?;
    let response = Response { status: response.status(), headers, body: SecretBytes::default() };
    Ok(State::Receiving { download: Download { stream, _body: body }, response })
}

/// Reads what has arrived. True at the end.
fn fill(stream: &InputStream, body: &mut SecretBytes, limit: usize) -> Result<bool, SendFault> {
    loop {
        let chunk = match stream.read((limit + 1 - body.len()) as u64) {
            Ok(chunk) => SecretBytes::from(chunk),
            Err(StreamError::Closed) => return Ok(true),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(wasi::http::types::http_error_code(&error)
                    .map_or(SendFault::Broken, |code| faults::send(&code)));
            }
        };
        if chunk.is_empty() {
            return Ok(false);
        }
        // Grown by hand: a vector that moves leaves pieces of the token behind.
        if body.capacity() - body.len() < chunk.len() {
            let mut larger = SecretBytes::from(Vec::with_capacity(2 * (body.len() + chunk.len())));
            larger.extend_from_slice(body);
            *body = larger;
        }
        body.extend_from_slice(&chunk);
        if body.len() > limit {
            return Err(SendFault::TooLarge);
        }
    }
}
