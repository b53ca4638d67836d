//! One request through the gateway: checked, sent with the credential, and sent once more where that is safe.

use wasi::http::outgoing_handler;
use wasi::http::types::{
    Fields, IncomingRequest, IncomingResponse, Method, OutgoingRequest, ResponseOutparam,
};

use crate::access;
use crate::bindings::keyless::credentials::types::Credential;
use crate::connection::{connection, no_credential};
use crate::download::{Course, Download};
use crate::headers::{self, Entries};
use crate::patience::{self, wait};
use crate::refusal::Refusal;
use crate::target::{self, Target};
use crate::upload::{self, Sending, Upload};

/// Answers with what the API answers, or with why there is no answer.
pub(crate) fn pass(request: IncomingRequest, out: ResponseOutparam) {
    match Passage::of(&request) {
        Err(refusal) => refusal.answer(out),
        Ok(mut passage) => match passage.answer() {
            Err(refusal) => refusal.answer(out),
            Ok(answer) => passage.relay(answer, out),
        },
    }
}

/// A request on its way.
struct Passage {
    method: Method,
    /// As it came, with the query.
    path: String,
    headers: Entries,
    upload: Upload,
}

/// What the API answered, while a part of the request may still be on its way.
struct Answer {
    response: IncomingResponse,
    sending: Sending,
}

impl Passage {
    fn of(request: &IncomingRequest) -> Result<Self, Refusal> {
        let headers = headers::received(request.headers().entries());
        access::admit(request.authority().as_deref(), &headers)?;
        let (method, path) = (request.method(), request.path_with_query().unwrap_or_else(|| "/".to_owned()));
        target::check(&method, &path)?;
        Ok(Self { method, path, headers, upload: Upload::of(request)? })
    }

    /// What the API answers with the credential at hand, or, if it says 401 to that, with the next one.
    fn answer(&mut self) -> Result<Answer, Refusal> {
        let connection = connection()?;
        let credential = connection.credential().map_err(no_credential)?;
        let answer = self.send(&credential)?;
        if answer.response.status() != 401 {
            return Ok(answer);
        }
        connection.reject(credential.generation);
        if !self.upload.is_kept() {
            return Ok(answer);
        }
        // Waits for the renewal that this forces. One that is not due yet leaves the credential as it is.
        match connection.credential() {
            Ok(newer) if newer.generation > credential.generation => {
                drop(answer);
                self.send(&newer)
            }
            _ => Ok(answer),
        }
    }

    /// Sends it and waits for the head of an answer.
    fn send(&mut self, credential: &Credential) -> Result<Answer, Refusal> {
        let target = Target::of(&credential.base_url).ok_or(Refusal::Failed)?;
        target.covers(&self.path)?;
        let request = self.request(&target, credential)?;
        let body = request.body().map_err(|()| Refusal::Failed)?;
        let mut sending = Sending::new(body)?;
        let future = outgoing_handler::handle(request, None).map_err(Refusal::NoAnswer)?;
        loop {
            self.upload.advance(&mut sending)?;
            let answered = future.subscribe();
            // Only asking whether it is ready makes wasmtime look: until then `get` has nothing.
            if answered.ready() {
                break;
            }
            let (uploading, patience) = match self.upload.pollable(&sending) {
                Some((pollable, patience)) => (Some(pollable), patience),
                None => (None, patience::ANSWER),
            };
            if !wait([Some(answered), uploading], patience) {
                return Err(if patience == patience::UPLOAD { upload::STALLED } else { Refusal::TimedOut });
            }
        }
        match future.get() {
            Some(Ok(Ok(response))) => Ok(Answer { response, sending }),
            Some(Ok(Err(code))) => Err(Refusal::NoAnswer(code)),
            Some(Err(())) | None => Err(Refusal::Failed),
        }
    }

    fn request(&self, target: &Target<'_>, credential: &Credential) -> Result<OutgoingRequest, Refusal> {
        let unusable = || {
            Refusal::Request(400, "request-unusable", "the host cannot send such a method, path or header")
        };
        let mut headers = headers::outgoing(&self.headers, credential);
        let has_length = headers.iter().any(|(name, _)| name == "content-length");
        if self.upload.is_empty()
            && !has_length
            && matches!(self.method, Method::Post | Method::Put | Method::Patch)
        {
            // Servers want to be told (RFC 9110, section 8.6).
            headers.push(("content-length".to_owned(), b"0".to_vec()));
        }
        let request = OutgoingRequest::new(Fields::from_list(&headers).map_err(|_| unusable())?);
        request.set_method(&self.method).map_err(|()| unusable())?;
        request.set_scheme(Some(&target.scheme)).map_err(|()| unusable())?;
        request.set_authority(Some(target.authority)).map_err(|()| unusable())?;
        request.set_path_with_query(Some(&self.path)).map_err(|()| unusable())?;
        Ok(request)
    }

    /// Passes the answer on, and what is left of the request.
    fn relay(mut self, answer: Answer, out: ResponseOutparam) {
        let Answer { response, mut sending } = answer;
        let Some(mut download) = Download::begin(&response, out) else { return };
        let course = loop {
            match download.advance() {
                Course::Going => {}
                ended => break ended,
            }
            if self.upload.advance(&mut sending).is_err() {
                break Course::Broken;
            }
            let (downloading, patience) = download.pollable();
            let uploading = self.upload.pollable(&sending).map(|(pollable, _)| pollable);
            if !wait([Some(downloading), uploading], patience) {
                break if patience == patience::READING { Course::Unwanted } else { Course::Broken };
            }
        };
        download.end(course);
    }
}
