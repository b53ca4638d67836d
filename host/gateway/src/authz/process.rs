//! The whole passage of a request as gRPC: `envoy.service.ext_proc.v3.ExternalProcessor`
//! (<https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/service/ext_proc/v3/external_processor.proto>).
//!
//! As an upstream filter of a cluster it sees every attempt of Envoy's router by itself: the head of the request, which gets
//! the credential, and the head of the answer. A 401 is held back until there is a next credential, so that the router's
//! retry is sent with it. Nothing else that gateways offer tells a refused credential so exactly: ext_authz asks once for a
//! request, however often it is retried, and an access log may tell of an attempt after the next one has been sent.

use std::sync::Arc;

use futures_util::stream;
use tonic::{Status, Streaming};

use super::check::Instead;
use super::desk::{self, Denial, Desk};
use super::original::without_query;
use crate::connection::{Connection, Credential};
use crate::grpc::Replies;
use crate::grpc::messages::header::{AppendAction, HeaderValue, HeaderValueOption};
use crate::grpc::messages::process::{
    CommonResponse, HeaderMutation, HeadersResponse, HttpHeaders, ImmediateResponse, Passage, Passing,
    ProcessingRequest, ProcessingResponse,
};

/// One attempt.
struct Attempt {
    desk: Arc<Desk>,
    incoming: Streaming<ProcessingRequest>,
    /// What it was sent with.
    sent: Option<(Arc<dyn Connection>, u64)>,
    /// Whether there is nothing more to say: a streamed answer may go on for long after its head.
    done: bool,
}

/// Answers what is told of one attempt, and ends with the head of its answer.
pub(super) fn answer(desk: Arc<Desk>, incoming: Streaming<ProcessingRequest>) -> Replies<ProcessingResponse> {
    let attempt = Attempt { desk, incoming, sent: None, done: false };
    Box::pin(stream::unfold(attempt, |mut attempt| async move {
        let reply = attempt.next().await.transpose()?;
        Some((reply, attempt))
    }))
}

impl Attempt {
    async fn next(&mut self) -> Result<Option<ProcessingResponse>, Status> {
        if self.done {
            return Ok(None);
        }
        let Some(message) = self.incoming.message().await? else { return Ok(None) };
        let passage = match message.request {
            Some(Passing::Request(head)) => self.request(&head).await,
            Some(Passing::Response(head)) => self.response(&head).await,
            None => {
                return Err(Status::invalid_argument(
                    "this service looks at heads alone; set the body and trailer modes of processing_mode to NONE and SKIP",
                ));
            }
        };
        self.done = !matches!(passage, Passage::Request(_));
        Ok(Some(ProcessingResponse { response: Some(passage) }))
    }

    async fn request(&mut self, head: &HttpHeaders) -> Passage {
        match self.credential(head).await {
            Ok(credential) => Passage::Request(changed(&credential)),
            Err(denial) => Passage::Immediate(instead(&denial).await),
        }
    }

    async fn credential(&mut self, head: &HttpHeaders) -> Result<Arc<Credential>, Denial> {
        let path = header(head, ":path").and_then(|path| str::from_utf8(path).ok()).unwrap_or_default();
        let connection = Arc::clone(self.desk.connection(without_query(path))?);
        let credential = desk::current(connection.as_ref()).await?;
        self.sent = Some((connection, credential.generation()));
        Ok(credential)
    }

    /// The answer goes on as it is. After a 401 not before there is another credential, or none can be had.
    async fn response(&mut self, head: &HttpHeaders) -> Passage {
        if header(head, ":status") == Some(b"401")
            && let Some((connection, generation)) = self.sent.take()
        {
            let _either = desk::successor(connection.as_ref(), generation).await;
        }
        Passage::Response(HeadersResponse { response: None })
    }
}

/// The first header of this name, in lower case.
fn header<'a>(head: &'a HttpHeaders, name: &str) -> Option<&'a [u8]> {
    let headers = &head.headers.as_ref()?.headers;
    headers.iter().find(|header| header.key == name).map(HeaderValue::bytes)
}

fn changed(credential: &Credential) -> HeadersResponse {
    let set = credential.headers().iter().map(|(name, value)| set(name.to_string(), value.as_bytes()));
    let mutation = HeaderMutation {
        set_headers: set.collect(),
        remove_headers: desk::removed(credential).map(str::to_owned).collect(),
    };
    HeadersResponse { response: Some(CommonResponse { header_mutation: Some(mutation) }) }
}

async fn instead(denial: &Denial) -> ImmediateResponse {
    let instead = Instead::of(denial.response()).await;
    let headers = instead.headers.into_iter().map(|(name, value)| set(name, value.as_bytes()));
    ImmediateResponse {
        status: Some(instead.status),
        headers: Some(HeaderMutation { set_headers: headers.collect(), remove_headers: Vec::new() }),
        body: instead.body.into_bytes(),
        details: "keyless".to_owned(),
    }
}

fn set(key: String, value: &[u8]) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue { key, value: String::new(), raw_value: value.to_vec() }),
        append_action: AppendAction::OverwriteIfExistsOrAdd.into(),
    }
}
