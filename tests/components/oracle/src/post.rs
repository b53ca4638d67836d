//! One POST with a form, answered by 200.

use wasi::http::outgoing_handler;
use wasi::http::types::{
    Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasi::io::streams::StreamError;

/// The answer's body.
pub(crate) fn form(url: &str, authorization: &str, form: &str) -> Result<Vec<u8>, String> {
    let response = send(url, authorization, form).ok_or_else(|| format!("{url} is no URL"))?;
    let response = response.map_err(|code| format!("{url} gave no answer: {code}"))?;
    match response.status() {
        200 => body(&response).ok_or_else(|| format!("{url} broke off")),
        // Its body may hold more than people should see.
        status => Err(format!("{url} refused with status {status}")),
    }
}

fn send(url: &str, authorization: &str, form: &str) -> Option<Result<IncomingResponse, String>> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    let (authority, path) = rest.split_at(rest.find('/')?);
    let headers = Fields::from_list(&[
        ("authorization".to_owned(), authorization.as_bytes().to_vec()),
        ("content-length".to_owned(), form.len().to_string().into_bytes()),
        ("content-type".to_owned(), b"application/x-www-form-urlencoded".to_vec()),
    ]);
    let request = OutgoingRequest::new(headers.ok()?);
    request.set_method(&Method::Post).ok()?;
    request.set_scheme(Some(&scheme)).ok()?;
    request.set_authority(Some(authority)).ok()?;
    request.set_path_with_query(Some(path)).ok()?;
    let outgoing = request.body().ok()?;
    let stream = outgoing.write().ok()?;
    let response = match outgoing_handler::handle(request, None) {
        Ok(response) => response,
        Err(code) => return Some(Err(code.to_string())),
    };
    // A failure here is told by the response.
    let written = stream.blocking_write_and_flush(form.as_bytes());
    drop(stream);
    if written.is_ok() {
        drop(OutgoingBody::finish(outgoing, None));
    }
    response.subscribe().block();
    Some(response.get()?.ok()?.map_err(|code| code.to_string()))
}

fn body(response: &IncomingResponse) -> Option<Vec<u8>> {
    let body: IncomingBody = response.consume().ok()?;
    let stream = body.stream().ok()?;
    let mut content = Vec::new();
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(chunk) => content.extend(chunk),
            Err(StreamError::Closed) => return Some(content),
            Err(StreamError::LastOperationFailed(_)) => return None,
        }
    }
}
