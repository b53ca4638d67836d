//! Asking a token endpoint once.

use alloc::borrow::ToOwned as _;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use crate::error::{Code, Error};
use crate::exchange::body::{Encoding, Parameters};
use crate::exchange::refusal::Advice;
use crate::exchange::{Exchange, Issued, RESPONSE_LIMIT, TIMEOUT_MS, refusal};
use crate::io::{Io, Request};
use crate::secret::Secret;
use crate::subject_token::SubjectToken;

/// A request that trades an identity token.
pub struct TokenRequest<'a> {
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

/// One request, one answer.
pub async fn trade(exchange: &dyn Exchange, io: &Io, subject: &SubjectToken) -> Result<Issued, Error> {
    let TokenRequest { endpoint, encoding, headers: beside, parameters, advice } = exchange.request(subject);
    let body = encoding.write(&parameters);
    let mut headers = vec![
        ("content-type", Secret::new(encoding.content_type().to_owned())),
        ("content-length", Secret::new(body.len().to_string())),
    ];
    headers.extend(beside);
    let request = Request {
        method: "POST",
        url: endpoint.to_owned(),
        headers,
        body,
        timeout_ms: TIMEOUT_MS,
        response_limit: RESPONSE_LIMIT,
    };
    let anchor = io.now();
    let response = io.send(request).await.map_err(|fault| refusal::of_fault(fault, "POST", endpoint))?;
    if response.status == 200 {
        return exchange.issued(&response.body, anchor);
    }
    let error = refusal::of_response(&response, io.now(), subject.claims(), advice);
    match io.their_wall_ms().and_then(|theirs| subject.claims().expired_for(theirs)) {
        Some(ago) if error.code() == Code::ExchangeRefused => {
            Err(refusal::of_an_expired_token(endpoint, &ago))
        }
        _ => Err(error),
    }
}
