//! One request: with the credential, and once more after a 401.

use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::kept::Keeper;
use super::{AuthorizeLayer, BoxError, Kept};
use crate::{Credential, CredentialRef, authorize};

/// Sets the credential on each request to the service inside; see [the module](super).
#[derive(Clone, Debug)]
pub struct Authorize<S> {
    inner: S,
    layer: AuthorizeLayer,
}

impl<S> Authorize<S> {
    pub(super) fn new(inner: S, layer: AuthorizeLayer) -> Self {
        Self { inner, layer }
    }

    /// The service inside, which knows nothing of credentials.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, B, R> Service<Request<B>> for Authorize<S>
where
    S: Service<Request<Kept<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Error: Into<BoxError>,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready answers; the clone has to become ready first.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        let (head, body) = request.into_parts();
        let (first, keeper) = Kept::new(body, self.layer.replay_limit);
        let passage = Passage { inner, layer: self.layer.clone(), head, keeper };
        Box::pin(passage.pass(first))
    }
}

/// A request on its way.
struct Passage<S, B> {
    inner: S,
    layer: AuthorizeLayer,
    head: Parts,
    keeper: Keeper<B>,
}

impl<S, B, R> Passage<S, B>
where
    S: Service<Request<Kept<B>>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: Body,
    B::Error: Into<BoxError>,
{
    async fn pass(mut self, first: Kept<B>) -> Result<Response<R>, BoxError> {
        let credential = self.layer.credentials.current().await?;
        let used = credential.generation();
        let request = self.request(&credential, first)?;
        drop(credential);
        let response = self.inner.call(request).await.map_err(Into::into)?;
        let next = self.layer.credentials.next(response.status(), used, self.keeper.keeps()).await;
        match next {
            Some(next) => self.again(next, response).await,
            None => Ok(response),
        }
    }

    /// The answer to the second request, or the first answer where there can be no second request.
    async fn again(&mut self, next: CredentialRef, refused: Response<R>) -> Result<Response<R>, BoxError> {
        // It may have become too long since: its end was still on its way.
        let Some(body) = self.keeper.again() else { return Ok(refused) };
        let request = self.request(&next, body)?;
        drop((next, refused));
        poll_fn(|cx| self.inner.poll_ready(cx)).await.map_err(Into::into)?;
        self.inner.call(request).await.map_err(Into::into)
    }

    fn request(&self, credential: &Credential, body: Kept<B>) -> Result<Request<Kept<B>>, BoxError> {
        let mut head = self.head.clone();
        authorize::set(credential, &head.uri, &mut head.headers)?;
        Ok(Request::from_parts(head, body))
    }
}
