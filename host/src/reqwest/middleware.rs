//! As a middleware of `reqwest-middleware`.

use ::reqwest::{Request, Response};
use http::Extensions;
use reqwest_middleware::{Error, Middleware, Next, Result};

use super::{Authorize, set};

/// Errors of Keyless come as [`Error::Middleware`]; `downcast_ref::<keyless::Error>()` tells them.
#[async_trait::async_trait]
impl Middleware for Authorize {
    async fn handle(
        &self,
        mut first: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        // Before the credential is on it: the copy shares the body's bytes.
        let copy = first.try_clone();
        let credential = self.credentials.current().await.map_err(Error::middleware)?;
        let used = credential.generation();
        set(&credential, &mut first).map_err(Error::middleware)?;
        drop(credential);
        let response = next.clone().run(first, extensions).await?;
        let newer = self.credentials.next(response.status(), used, copy.is_some()).await;
        let Some((mut second, newer)) = copy.zip(newer) else { return Ok(response) };
        set(&newer, &mut second).map_err(Error::middleware)?;
        drop((newer, response));
        next.run(second, extensions).await
    }
}
