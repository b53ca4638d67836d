//! What happens to every request before and after its service works on it: limits, records, faults.

use std::sync::Arc;

use bytes::Bytes;
use http::header::DATE;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::json;

use crate::answer;
use crate::body::{Body, Cut};
use crate::faults::{Fault, distort};
use crate::openai_admin::call::OpenAiAdminCall;
use crate::service::{Service, ServiceName};
use crate::world::World;

/// Larger requests are refused with 413.
const REQUEST_LIMIT: usize = 1024 * 1024;

/// A service as its listener sees it.
pub(crate) struct Front {
    service: Arc<dyn Service>,
    watched: Option<(ServiceName, Arc<World>)>,
}

impl Front {
    /// A party: its requests are recorded and its answers may be distorted.
    pub(crate) fn watched(name: ServiceName, service: Arc<dyn Service>, world: Arc<World>) -> Self {
        Self { service, watched: Some((name, world)) }
    }

    /// The admin endpoint: what steers the sandbox must work always, and is nobody's business.
    pub(crate) fn plain(service: Arc<dyn Service>) -> Self {
        Self { service, watched: None }
    }

    pub(crate) async fn handle(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let Ok(mut request) = whole(request).await else {
            return Ok(answer::json(StatusCode::PAYLOAD_TOO_LARGE, &json!({"error": "request_too_large"})));
        };
        let Some((name, world)) = &self.watched else {
            return Ok(self.service.answer(request).await);
        };
        let number = world.ledger.arrived(*name, world.clock.now_ms(), &request);
        let call = match name {
            ServiceName::Upstream => OpenAiAdminCall::of(request.method(), request.uri().path()),
            _ => None,
        };
        let fault = world.faults.take(*name, call);
        if let Some(lag) = fault.as_ref().and_then(Fault::lag) {
            request.extensions_mut().insert(lag);
        }
        let proper = self.service.answer(request);
        let mut outcome = match fault {
            None => Ok(proper.await),
            Some(fault) => distort(fault, proper).await,
        };
        if let (Ok(response), Some(now)) = (&mut outcome, world.clock.http_date()) {
            response.headers_mut().insert(DATE, now);
        }
        let status = outcome.as_ref().ok().map(|response| response.status().as_u16());
        world.ledger.answered(*name, number, status);
        tracing::debug!(service = %name, number, status, "answered");
        outcome
    }
}

async fn whole(request: Request<Incoming>) -> Result<Request<Bytes>, ()> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, REQUEST_LIMIT).collect().await.map_err(|_| ())?;
    Ok(Request::from_parts(head, body.to_bytes()))
}
