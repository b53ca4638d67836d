//! Asking a token endpoint once.

use crate::error::Error;
use crate::exchange::body::{Encoding, Parameters};
use crate::exchange::refusal::Advice;
use crate::exchange::{Issued, RESPONSE_LIMIT, TIMEOUT_MS, answer, refusal};
use crate::io::{Io, Now, Request};
use crate::secret::{Secret, SecretBytes};
use crate::subject_token::SubjectToken;

/// A request that trades an identity token.
pub(super) struct Trading<'a> {
    /// Where to.
    pub(super) endpoint: &'a str,
    /// How the parameters are written.
    pub(super) encoding: Encoding,
    /// Sent beside `content-type` and `content-length`, and nothing else is.
    pub(super) headers: Vec<(&'static str, Secret)>,
    /// In this order.
    pub(super) parameters: Parameters<'a>,
    /// For a refusal.
    pub(super) advice: Advice,
}

impl Trading<'_> {
    /// The token that the endpoint grants.
    pub(super) async fn issued(self, io: &Io, subject: &SubjectToken) -> Result<Issued, Error> {
        let (body, anchor) = self.granted(io, subject).await?;
        answer::read(&body, anchor)
    }

    /// The body of a granting answer, and the moment before the request.
    pub(super) async fn granted(self, io: &Io, subject: &SubjectToken) -> Result<(SecretBytes, Now), Error> {
        let body = self.encoding.write(&self.parameters)?;
        let mut headers = vec![
            ("content-type", Secret::new(self.encoding.content_type().to_owned())),
            ("content-length", Secret::new(body.len().to_string())),
        ];
        headers.extend(self.headers);
        let request = Request {
            method: "POST",
            url: self.endpoint.to_owned(),
            headers,
            body,
            timeout_ms: TIMEOUT_MS,
            response_limit: RESPONSE_LIMIT,
        };
        let anchor = io.now();
        let response = io.send(request).await.map_err(|fault| refusal::of_fault(fault, self.endpoint))?;
        if response.status == 200 {
            Ok((response.body, anchor))
        } else {
            Err(refusal::of_response(&response, io.now(), subject.claims(), self.advice))
        }
    }
}
