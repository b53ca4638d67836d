//! One HTTP exchange over `wasi:http/client`, within one deadline.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use keyless_engine::io::{Request, Response, SendFault};

use super::streams;
use crate::bindings::{wit_future, wit_stream};
use crate::wasi::clocks::monotonic_clock;
use crate::wasi::http::client;
use crate::wasi::http::types::{Fields, Request as Outgoing, Response as Incoming};
use crate::{faults, target};

/// Sends it, and collects the answer. Dropped: the request is given up.
pub(crate) async fn send(request: Request) -> Result<Response, SendFault> {
    // WASI's own time-outs are for phases, and there is none for the whole, which is what counts.
    let mut late = pin!(monotonic_clock::wait_for(request.timeout_ms.saturating_mul(1_000_000)));
    let mut exchange = pin!(exchange(request));
    poll_fn(|context| match exchange.as_mut().poll(context) {
        Poll::Pending => late.as_mut().poll(context).map(|()| Err(SendFault::TimedOut)),
        ended => ended,
    })
    .await
}

async fn exchange(request: Request) -> Result<Response, SendFault> {
    let limit = request.response_limit;
    let (outgoing, upload) = outgoing(request)?;
    let mut upload = pin!(upload);
    let mut answer = pin!(client::send(outgoing));
    let mut uploading = true;
    let answered = poll_fn(|context| {
        uploading = uploading && upload.as_mut().poll(context).is_pending();
        // An endpoint may answer, a host may fail, before everything is sent.
        answer.as_mut().poll(context)
    });
    receive(answered.await.map_err(|code| faults::send(&code))?, limit).await
}

/// The request, and what has to go on beside sending it.
fn outgoing(request: Request) -> Result<(Outgoing, impl Future<Output = ()>), SendFault> {
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.expose().as_bytes().to_vec()))
        .collect();
    let headers = Fields::from_list(&headers).map_err(|_| SendFault::Denied)?;
    let (scheme, authority, path) = target::split(&request.url).ok_or(SendFault::Denied)?;
    // A stream has no length to a host, and what has none goes out in chunks: so where there is nothing there is no stream.
    let (body, contents) = (!request.body.is_empty()).then(wit_stream::new).unzip();
    let (end, trailers) = wit_future::new(|| Ok(None));
    let (outgoing, _) = Outgoing::new(headers, contents, trailers, None);
    outgoing.set_method(&target::method(request.method)).map_err(|()| SendFault::Denied)?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| SendFault::Denied)?;
    outgoing.set_authority(Some(authority)).map_err(|()| SendFault::Denied)?;
    outgoing.set_path_with_query(Some(path)).map_err(|()| SendFault::Denied)?;
    let content = request.body;
    let upload = async move {
        if let Some(body) = body {
            streams::give(body, content).await;
        }
        // Nobody may want to know: then the answer is there already.
        let _ = end.write(Ok(None)).await;
    };
    Ok((outgoing, upload))
}

async fn receive(incoming: Incoming, limit: usize) -> Result<Response, SendFault> {
    let status = incoming.get_status_code();
    let headers = incoming.get_headers().copy_all();
    let headers = headers
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let (taken, result) = wit_future::new(|| Ok(()));
    let (stream, trailers) = Incoming::consume_body(incoming, result);
    let body = streams::take(stream, limit).await.ok_or(SendFault::TooLarge)?;
    drop(taken);
    // A stream ends alike at the end of the answer and when the connection breaks.
    trailers.await.map_err(|code| faults::send(&code))?;
    Ok(Response { status, headers, body })
}
