//! For a program that can make its request anew, whatever its body is.

use ::reqwest::{Client, Request, Response};

use super::{Authorize, set};

impl Authorize {
    /// Makes a request, sets the credential on it and sends it; after a 401 makes it anew, and sends it once more with the
    /// next credential.
    ///
    /// For requests with streams and forms, and for clients that hand over a way to make a request, as async-openai does:
    ///
    /// ```
    /// # use keyless::reqwest::Authorize;
    /// # async fn example(authorize: &Authorize, http: &reqwest::Client, url: &str)
    /// # -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    /// let upload = || async {
    ///     let request = http.post(url).body("however it is made").build();
    ///     request.map_err(Box::<dyn std::error::Error + Send + Sync>::from)
    /// };
    /// let response = authorize.send(http, upload).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of `make`; those of reqwest; [`keyless::Error`](crate::Error), boxed.
    pub async fn send<E, F, M>(&self, http: &Client, make: M) -> Result<Response, E>
    where
        M: Fn() -> F,
        F: Future<Output = Result<Request, E>>,
        E: From<::reqwest::Error> + From<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut first = make().await?;
        let credential = self.credentials.current().await.map_err(boxed)?;
        let used = credential.generation();
        set(&credential, &mut first).map_err(boxed)?;
        drop(credential);
        let response = http.execute(first).await?;
        let newer = self.credentials.next(response.status(), used, true).await;
        let Some(newer) = newer else { return Ok(response) };
        let mut second = make().await?;
        set(&newer, &mut second).map_err(boxed)?;
        drop((newer, response));
        Ok(http.execute(second).await?)
    }
}

fn boxed(error: crate::Error) -> Box<dyn std::error::Error + Send + Sync> {
    Box::new(error)
}
