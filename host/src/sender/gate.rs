//! The gate between the component and the network: what `wasi:http` calls when the component sends.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use wasmtime_wasi_http::{Error as WasiError, RequestOptions, WasiBody, WasiHttpHooks};
use zeroize::{Zeroize as _, Zeroizing};

use super::{
    AllowList, Body, ClientIdentity, Fault, Patience, REQUEST_LIMIT, RESPONSE_LIMIT, Sender, deadline,
};

/// Checks requests against a grant, then hands them to a [`Sender`], and holds both to the deadline and the sizes.
#[derive(Clone)]
pub(crate) struct Gate {
    allowed: AllowList,
    sender: Arc<dyn Sender>,
    /// Presented to every endpoint of the grant.
    identity: Option<ClientIdentity>,
}

impl Gate {
    pub(crate) fn new(allowed: AllowList, sender: Arc<dyn Sender>, identity: Option<ClientIdentity>) -> Self {
        Self { allowed, sender, identity }
    }
}

type Answer =
    Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), WasiError>> + Send>), WasiError>;

impl WasiHttpHooks for Gate {
    /// hyper sets it for HTTP/1.1; in HTTP/2 it would be a second `:authority`.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), WasiError>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let Self { allowed, sender, identity } = self.clone();
        Box::new(async move {
            match pass(&allowed, &*sender, identity, request, options).await {
                Ok(response) => {
                    let response = response
                        .map(|body| Full::new(body.into_bytes()).map_err(WasiError::from).boxed_unsync());
                    // The whole answer is here already: nothing goes on in the background.
                    Ok((response, Box::new(async { Ok(()) }) as _))
                }
                Err(fault) => Err(fault.into_wasi()),
            }
        })
    }
}

async fn pass(
    allowed: &AllowList,
    sender: &dyn Sender,
    identity: Option<ClientIdentity>,
    request: http::Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<http::Response<Body>, Fault> {
    let (parts, body) = request.into_parts();
    if !allowed.permits(&parts.method, &parts.uri) {
        // The query is left out: some endpoints take secrets in it.
        tracing::warn!(
            method = %parts.method,
            host = parts.uri.authority().map_or("", http::uri::Authority::as_str),
            path = parts.uri.path(),
            "request refused: not granted"
        );
        return Err(Fault::Denied);
    }
    let host = parts.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let patience = deadline::patience(options, host);
    let deadline = tokio::time::Instant::now() + patience.total;

    let exchange = async {
        let body = upload(body).await?;
        let mut request = http::Request::from_parts(parts, body);
        clean(request.headers_mut());
        if let Some(identity) = identity {
            request.extensions_mut().insert(identity);
        }
        let response = sender.send(request, patience).await?;
        if response.body().as_bytes().len() > RESPONSE_LIMIT {
            return Err(Fault::TooLarge);
        }
        Ok(response)
    };
    tokio::time::timeout_at(deadline, exchange).await.unwrap_or(Err(Fault::ResponseTimeout))
}

/// Collects what the component sends. It is whole before the first byte leaves, so that it has a length, and a broken
/// upload is no request.
async fn upload(body: WasiBody) -> Result<Body, Fault> {
    collect(body, REQUEST_LIMIT).await.map_err(|_| Fault::Unsendable)
}

/// Collects a body without leaving copies of it behind.
pub(super) async fn collect<B>(
    body: B,
    limit: usize,
) -> Result<Body, Box<dyn std::error::Error + Send + Sync>>
where
    B: http_body::Body<Data = bytes::Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut body = pin!(Limited::new(body, limit));
    let mut content = Zeroizing::new(Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if content.capacity() - content.len() < data.len() {
            // Grown by hand: a vector that moves leaves its former content behind.
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * (content.len() + data.len())));
            larger.extend_from_slice(&content);
            content = larger;
        }
        content.extend_from_slice(&data);
        // Ours now, and to be wiped, unless the HTTP library goes on using the memory around it.
        if let Ok(mut data) = data.try_into_mut() {
            data.as_mut().zeroize();
        }
    }
    Ok(Body::new(std::mem::take(&mut *content)))
}

/// Takes off what is not the component's to decide, and hides the rest from `Debug`.
fn clean(headers: &mut http::HeaderMap) {
    // Nothing here decompresses, so nothing may ask for compression.
    headers.remove(http::header::ACCEPT_ENCODING);
    for value in headers.values_mut() {
        value.set_sensitive(true);
    }
}

/// For a [`Sender`] that must find out by itself whether the head or the body was late.
pub(super) async fn in_time<T>(
    start: tokio::time::Instant,
    patience: Patience,
    late: Fault,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    // A moment earlier than the gate, whose time-out cannot tell one phase from another.
    let deadline = start + patience.total.saturating_sub(Duration::from_millis(5));
    tokio::time::timeout_at(deadline, work).await.unwrap_or(Err(late))
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Mutex;

    use super::*;
    use crate::sender::Sending;
    use crate::{Endpoint, Grant};

    const URL: &str = "https://auth.openai.com/oauth/token";

    /// Remembers the requests; answers with a body of that many bytes, or never.
    #[derive(Default)]
    struct Fake {
        seen: Mutex<Vec<http::Request<Body>>>,
        answer: Option<usize>,
    }

    impl Sender for Arc<Fake> {
        fn send(&self, request: http::Request<Body>, _: Patience) -> Sending {
            self.seen.lock().unwrap().push(request);
            match self.answer {
                Some(size) => Box::pin(ready(Ok(http::Response::new(Body::new(vec![b'x'; size]))))),
                None => Box::pin(pending()),
            }
        }
    }

    async fn send(fake: &Arc<Fake>, url: &str, body: Vec<u8>) -> Result<usize, Fault> {
        let grant = Grant::none().endpoint(Endpoint::new("POST", URL));
        let body = Full::new(body.into()).map_err(WasiError::from).boxed_unsync();
        let request = http::Request::post(url)
            .header("accept-encoding", "gzip")
            .header("authorization", "Bearer canary")
            .body(body)
            .unwrap();
        let answer = pass(&AllowList::new(&grant).unwrap(), fake, None, request, None).await;
        answer.map(|response| response.body().as_bytes().len())
    }

    #[tokio::test]
    async fn what_is_not_granted_never_reaches_the_sender() {
        let fake = Arc::new(Fake { answer: Some(0), ..Fake::default() });
        for url in [
            "https://evil.example/oauth/token",
            "http://auth.openai.com/oauth/token",
            "https://auth.openai.com/",
        ] {
            assert_eq!(send(&fake, url, Vec::new()).await, Err(Fault::Denied));
        }
        assert!(fake.seen.lock().unwrap().is_empty());
        assert_eq!(send(&fake, URL, b"body".to_vec()).await, Ok(0));
        assert_eq!(fake.seen.lock().unwrap()[0].body().as_bytes(), b"body");
    }

    #[tokio::test]
    async fn nothing_asks_for_compression_and_debug_shows_no_secret() {
        let fake = Arc::new(Fake { answer: Some(0), ..Fake::default() });
        send(&fake, URL, b"canary".to_vec()).await.unwrap();
        let seen = fake.seen.lock().unwrap();
        let request = &seen[0];
        assert!(!request.headers().contains_key("accept-encoding"));
        assert_eq!(request.headers()["authorization"], "Bearer canary");
        assert!(!format!("{request:?}").contains("canary"));
    }

    #[tokio::test]
    async fn sizes_are_bounded_both_ways() {
        for (size, expected) in
            [(RESPONSE_LIMIT, Ok(RESPONSE_LIMIT)), (RESPONSE_LIMIT + 1, Err(Fault::TooLarge))]
        {
            let fake = Arc::new(Fake { answer: Some(size), ..Fake::default() });
            assert_eq!(send(&fake, URL, Vec::new()).await, expected);
        }
        let fake = Arc::new(Fake { answer: Some(0), ..Fake::default() });
        assert_eq!(send(&fake, URL, vec![b'x'; REQUEST_LIMIT]).await, Ok(0));
        assert_eq!(send(&fake, URL, vec![b'x'; REQUEST_LIMIT + 1]).await, Err(Fault::Unsendable));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_never_answers_is_given_up_in_time() {
        let started = tokio::time::Instant::now();
        assert_eq!(send(&Arc::new(Fake::default()), URL, Vec::new()).await, Err(Fault::ResponseTimeout));
        assert_eq!(started.elapsed().as_secs(), 10);
    }
}
