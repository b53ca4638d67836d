//! One request through the proxy: checked, sent with the credential, and sent once more where that is safe.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{CONNECTION, HOST, UPGRADE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::counters::Counters;
use super::download::Download;
use super::limits::{self, Limits};
use super::model::{self, Named};
use super::origin::{Link, Over, Used};
use super::patience::Silent;
use super::refusal::Refusal;
use super::route::{Route, Routes, Target};
use super::upload::{Passing, Taken, Upload};
use super::{headers, tunnel};
use crate::connection::Credential;
use crate::path;
use crate::pattern::Models;
use crate::service::Body;

/// A request that was sent may have been dealt with, although its connection was closed without an answer. When that happens
/// on a connection that had rested, and this soon, the upstream had closed it for being unused, and the two have crossed.
const CROSSED: Duration = Duration::from_secs(1);

/// What all requests of a proxy share.
pub(super) struct Forward {
    pub(super) routes: Routes,
    pub(super) limits: Limits,
    pub(super) counters: Arc<Counters>,
}

impl Forward {
    /// Answers with what the upstream answers, or with why there is no answer.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        self.forward(request).await.unwrap_or_else(|refusal| {
            self.count(&refusal);
            refusal.answer()
        })
    }

    async fn forward(&self, mut request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
        let tunnel = tunnel::asked_for(&mut request);
        let (head, incoming) = request.into_parts();
        let incoming = Passing::new(incoming, self.limits.upload);
        if matches!(head.method, Method::TRACE | Method::CONNECT) {
            return Err(Refusal::Method);
        }
        path::check(head.uri.path()).map_err(Refusal::Path)?;
        let (route, rest) = self.routes.find(head.uri.path()).ok_or(Refusal::NoRoute)?;
        if route.paths.as_ref().is_some_and(|paths| !paths.allow(rest)) {
            return Err(Refusal::PathNotAllowed);
        }
        let body = match &route.models {
            Some(models) => self.with_model(models, &head.uri, incoming, tunnel.is_some()).await?,
            None => Taken::new(incoming, route.replay_limit),
        };
        let mut passage =
            Passage { forward: self, route, head: &head, rest, body, upgrade: tunnel.is_some() };
        let response = passage.pass().await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(response.map(|download| download.boxed_unsync()));
        }
        // An upstream that switches unasked speaks no HTTP any more.
        let client = tunnel.ok_or(Refusal::Failed)?;
        self.counters.tunnels();
        Ok(tunnel::open(client, response, &route.upstreams.tunnels))
    }

    /// The body, if it asks for a model that is allowed.
    async fn with_model(
        &self,
        models: &Models,
        uri: &Uri,
        incoming: Passing,
        websocket: bool,
    ) -> Result<Taken, Refusal> {
        let allowed = |named: Named, needed: bool| match named {
            Named::Model(model) if models.allow(&model) => Ok(()),
            Named::Model(_) => Err(Refusal::Model("the `models` of this route do not list this model")),
            Named::No if needed => {
                Err(Refusal::Model("the request names no model, and this route allows some only"))
            }
            Named::No => Ok(()),
            Named::Unclear(what) => Err(Refusal::Model(what)),
        };
        allowed(model::of_query(uri.query()), websocket)?;
        if incoming.is_at_end() {
            return Ok(Taken::Whole(bytes::Bytes::new()));
        }
        let body = match Limited::new(incoming, limits::MODEL_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Refusal::BodyTooLong),
            Err(error) if error.is::<Silent>() => return Err(Refusal::UploadStalled),
            Err(_) => return Err(Refusal::UploadBroken),
        };
        if !body.is_empty() {
            allowed(model::of_body(&body), true)?;
        }
        Ok(Taken::Whole(body))
    }

    fn count(&self, refusal: &Refusal) {
        match refusal {
            Refusal::NoCredential(_) => self.counters.no_credential(),
            Refusal::Unreachable => self.counters.unreachable(),
            Refusal::TimedOut => self.counters.timed_out(),
            Refusal::Failed => self.counters.failed(),
            _ => {}
        }
    }
}

/// One request on its way.
struct Passage<'a> {
    forward: &'a Forward,
    route: &'a Arc<Route>,
    head: &'a Parts,
    rest: &'a str,
    body: Taken,
    upgrade: bool,
}

impl Passage<'_> {
    async fn pass(&mut self) -> Result<Response<Download>, Refusal> {
        let credential = self.credential().await?;
        let response = self.exchange(&credential).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let rejected = credential.generation();
        self.route.connection.reject(rejected);
        if self.route.replay_limit == 0 || !self.body.is_kept() {
            return Ok(response);
        }
        match self.route.connection.ready(self.forward.limits.credential).await {
            Ok(newer) if newer.generation() > rejected => {
                self.forward.counters.replays();
                drop(response);
                self.exchange(&newer).await
            }
            _ => Ok(response),
        }
    }

    async fn credential(&self) -> Result<Arc<Credential>, Refusal> {
        if let Some(credential) = self.route.connection.credential() {
            return Ok(credential);
        }
        self.route.connection.ready(self.forward.limits.credential).await.map_err(Refusal::NoCredential)
    }

    /// The upstream's answer to this credential. On a connection that turns out to be closed nothing was asked, so it is
    /// asked again on a new one.
    async fn exchange(&mut self, credential: &Credential) -> Result<Response<Download>, Refusal> {
        let target = self.route.target(credential).ok_or(Refusal::Unreachable)?;
        let path = self.route.path(&target, &self.head.uri, self.rest)?;
        let mut fresh = false;
        loop {
            let link = self.link(&target, fresh).await?;
            let upload = self.body.upload().ok_or(Refusal::Failed)?;
            let request = self.request(&link, &path, credential, upload);
            let error = match self.send(link, request).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            match error {
                Unanswered::NotSent(upload) if !fresh => self.body.put_back(upload),
                Unanswered::Closed if !fresh && self.body.is_kept() => self.forward.counters.resent(),
                Unanswered::Refused(refusal) => return Err(refusal),
                Unanswered::NotSent(_) | Unanswered::Closed => return Err(Refusal::Failed),
            }
            fresh = true;
        }
    }

    async fn link(&self, target: &Target, fresh: bool) -> Result<Link, Refusal> {
        let origin = &target.origin;
        if !fresh
            && !self.upgrade
            && let Some(link) = origin.idle()
        {
            return Ok(link);
        }
        let linking = async {
            if self.upgrade {
                let sender = origin.upgradable().await?;
                return Ok(Link { over: Over::Http1(sender), origin: Arc::clone(origin), rested: None });
            }
            origin.link(fresh).await
        };
        let linked: Result<io::Result<Link>, _> = timeout(self.forward.limits.connect, linking).await;
        match linked {
            Ok(Ok(link)) => Ok(link),
            Ok(Err(error)) => {
                tracing::warn!(upstream = %origin.authority(), %error, "an upstream cannot be connected to");
                Err(Refusal::Unreachable)
            }
            Err(_) => {
                tracing::warn!(upstream = %origin.authority(), "an upstream cannot be connected to in time");
                Err(Refusal::TimedOut)
            }
        }
    }

    fn request(
        &self,
        link: &Link,
        path: &PathAndQuery,
        credential: &Credential,
        upload: Upload,
    ) -> Request<Upload> {
        let mut headers = headers::outgoing(&self.head.headers, self.head.version, credential);
        let mut request = Request::new(upload);
        *request.method_mut() = self.head.method.clone();
        match link.over {
            Over::Http1(_) => {
                headers.insert(HOST, link.origin.host().clone());
                if self.upgrade {
                    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
                    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                } else if headers.contains_key(http::header::TE) {
                    headers.insert(CONNECTION, HeaderValue::from_static("te"));
                }
                *request.uri_mut() = Uri::from(path.clone());
            }
            Over::Http2(..) => {
                *request.version_mut() = Version::HTTP_2;
                *request.uri_mut() = link.origin.url(path.clone());
            }
        }
        *request.headers_mut() = headers;
        request
    }

    async fn send(&self, link: Link, request: Request<Upload>) -> Result<Response<Download>, Unanswered> {
        let rested = link.rested;
        let sent = Instant::now();
        let (answered, used) = match link.over {
            Over::Http1(mut sender) => {
                let answered = self.wait(sender.try_send_request(request)).await?;
                (answered, Used::Http1(sender, link.origin))
            }
            Over::Http2(mut sender, stream) => {
                (self.wait(sender.try_send_request(request)).await?, Used::Http2(stream))
            }
        };
        match answered {
            Ok(response) => Ok(self.received(response, used)),
            Err(mut error) => {
                if let Some(unsent) = error.take_message() {
                    return Err(Unanswered::NotSent(unsent.into_body()));
                }
                let error = error.into_error();
                tracing::debug!(%error, "an upstream gave no answer");
                if let Some(refusal) = self.body.failure() {
                    return Err(Unanswered::Refused(refusal));
                }
                let unasked = was_not_dealt_with(&error);
                let crossed = rested.is_some() && (sent.elapsed() < CROSSED || self.may_be_repeated());
                if unasked || (crossed && !error.is_parse()) {
                    Err(Unanswered::Closed)
                } else {
                    Err(Unanswered::Refused(Refusal::Failed))
                }
            }
        }
    }

    /// Waits for an answer's head; while a long body is on its way, for as long as that moves.
    async fn wait<F: Future>(&self, answer: F) -> Result<F::Output, Unanswered> {
        let mut answer = std::pin::pin!(answer);
        loop {
            match timeout(self.forward.limits.answer, answer.as_mut()).await {
                Ok(answered) => return Ok(answered),
                Err(_) if self.body.has_moved() => {}
                Err(_) => return Err(Unanswered::Refused(Refusal::TimedOut)),
            }
        }
    }

    fn received(&self, response: Response<Incoming>, used: Used) -> Response<Download> {
        let (mut head, incoming) = response.into_parts();
        if head.status != StatusCode::SWITCHING_PROTOCOLS {
            headers::incoming(&mut head.headers);
        }
        head.version = Version::HTTP_11;
        let counters = Arc::clone(&self.forward.counters);
        Response::from_parts(head, Download::new(incoming, used, self.forward.limits.silence, counters))
    }

    /// Whether doing it twice is doing it once: by its method (RFC 9110, section 9.2.2) or because the client says so.
    fn may_be_repeated(&self) -> bool {
        self.head.method.is_idempotent() || self.head.headers.contains_key("idempotency-key")
    }
}

/// Why there is no answer.
enum Unanswered {
    /// Not a byte has left.
    NotSent(Upload),
    /// It left, and the upstream has not dealt with it.
    Closed,
    /// It makes no sense, or is not safe, to try again.
    Refused(Refusal),
}

/// Whether the upstream says so (RFC 9113, sections 6.8 and 8.7).
fn was_not_dealt_with(error: &hyper::Error) -> bool {
    let error = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
    error.is_some_and(|error| {
        error.is_remote()
            && (error.reason() == Some(h2::Reason::REFUSED_STREAM)
                || (error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR)))
    })
}
