//! Carries a fault out on a request: before the work, instead of it, or on its answer.

use std::future::Future;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{Fault, RetryAfter};
use crate::body::{self, Body, Cut, Tear};
use crate::openai_admin::refusal;

const HTML_PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head>\
    <body><h1>Please sign in to the network</h1></body></html>";

/// The answer as `fault` makes it. `proper` is not awaited by the faults that leave the work undone.
pub(crate) async fn distort(
    fault: Fault,
    proper: impl Future<Output = Response<Body>>,
) -> Result<Response<Body>, Cut> {
    let mut fault = fault;
    loop {
        let then = match fault {
            Fault::Delay { ms, then } => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                then
            }
            // The work knows.
            Fault::Lag { then, .. } => then,
            last => {
                fault = last;
                break;
            }
        };
        match then {
            Some(then) => fault = *then,
            None => return Ok(proper.await),
        }
    }
    match fault {
        // The loop above leaves none.
        Fault::Delay { .. } | Fault::Lag { .. } => Ok(proper.await),
        Fault::Status { status, retry_after } => Ok(bare_status(status, retry_after.as_ref())),
        Fault::Stall => std::future::pending().await,
        Fault::CloseBefore => Err(Cut),
        Fault::CloseAfter => {
            drop(proper.await);
            Err(Cut)
        }
        Fault::MissingScope { scope } => Ok(refusal::missing_scope(&scope)),
        Fault::Html => Ok(own(200, "text/html; charset=utf-8", HTML_PAGE.to_owned())),
        Fault::EndlessBody => {
            let mut response = own(200, "application/json", String::new());
            *response.body_mut() = body::endless("{\"access_token\":\"", &[b'A'; 16 * 1024]);
            Ok(response)
        }
        Fault::Redirect { location, status } => {
            let mut response = own(status, "text/plain", String::new());
            set(&mut response, LOCATION, &location);
            Ok(response)
        }
        Fault::Body { status, content_type, body } => Ok(own(status, &content_type, body)),
        Fault::ContentType { value } => {
            let mut response = proper.await;
            set(&mut response, CONTENT_TYPE, &value);
            Ok(response)
        }
        Fault::Drip { bytes, pause_ms } => {
            let pause = Duration::from_millis(pause_ms);
            rebody(proper.await, |whole| body::paced(pieces(&whole, bytes), pause)).await
        }
        Fault::StallMidway => rebody(proper.await, |whole| half(&whole, Tear::Stall)).await,
        Fault::CloseMidway => rebody(proper.await, |whole| half(&whole, Tear::Break)).await,
        Fault::MalformedJson => {
            rebody(proper.await, |whole| body::full(first(&whole, whole.len() * 2 / 3))).await
        }
        Fault::EmptyBody => rebody(proper.await, |_| body::full(Bytes::new())).await,
        Fault::SetField { name, value } => {
            edit(proper.await, |object| {
                object.insert(name, value);
            })
            .await
        }
        Fault::DropField { name } => {
            edit(proper.await, |object| {
                object.remove(&name);
            })
            .await
        }
    }
}

fn bare_status(status: u16, retry_after: Option<&RetryAfter>) -> Response<Body> {
    let body = json!({"error": "sandbox_fault", "error_description": "This status was asked for."});
    let mut response = own(status, "application/json", body.to_string());
    match retry_after {
        None => {}
        Some(RetryAfter::Seconds(seconds)) => set(&mut response, RETRY_AFTER, &seconds.to_string()),
        Some(RetryAfter::DateInSeconds(seconds)) => {
            // Beyond the year 9999 there is no HTTP date.
            let seconds = (*seconds).min(100 * 365 * 86_400);
            let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(seconds));
            set(&mut response, RETRY_AFTER, &date);
        }
        Some(RetryAfter::Text(text)) => set(&mut response, RETRY_AFTER, text),
    }
    response
}

fn own(status: u16, content_type: &str, text: String) -> Response<Body> {
    let mut response = Response::new(body::full(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set(&mut response, CONTENT_TYPE, content_type);
    response
}

/// `Fault::check` has seen to it that the value fits.
fn set(response: &mut Response<Body>, name: http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

async fn rebody(response: Response<Body>, change: impl FnOnce(Bytes) -> Body) -> Result<Response<Body>, Cut> {
    let (mut head, body) = response.into_parts();
    let whole = body.collect().await?.to_bytes();
    head.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(head, change(whole)))
}

async fn edit(
    response: Response<Body>,
    change: impl FnOnce(&mut serde_json::Map<String, Value>),
) -> Result<Response<Body>, Cut> {
    rebody(response, |whole| match serde_json::from_slice(&whole) {
        Ok(Value::Object(mut object)) => {
            change(&mut object);
            body::full(Value::Object(object).to_string())
        }
        _ => body::full(whole),
    })
    .await
}

fn half(whole: &Bytes, tear: Tear) -> Body {
    let announced = u64::try_from(whole.len()).unwrap_or(u64::MAX);
    body::torn(first(whole, whole.len() / 2), announced, tear)
}

fn first(whole: &Bytes, length: usize) -> Bytes {
    whole.slice(..length.min(whole.len()))
}

fn pieces(whole: &Bytes, size: usize) -> Vec<Bytes> {
    whole.chunks(size.max(1)).map(Bytes::copy_from_slice).collect()
}
