//! Envoy's forms of the question: ext_authz and ext_proc.

use std::sync::Arc;

use keyless_gateway::Unavailable;
use serde_json::json;

use crate::connection::{Fake, bearer};
use crate::grpc::Call;
use crate::messages::auth::{
    AttributeContext, AttributeRequest, CheckRequest, CheckResponse, DeniedHttpResponse, HttpRequest,
    HttpResponse, OkHttpResponse,
};
use crate::messages::header::{AppendAction, HeaderMap, HeaderValue, HeaderValueOption};
use crate::messages::process::{
    HeaderMutation, HttpHeaders, ImmediateResponse, Passage, Passing, ProcessingRequest, ProcessingResponse,
};
use crate::serving::{Serving, serve};

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
const PROCESS: &str = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";

fn serving(connection: &Arc<Fake>) -> Serving {
    let routes = json!([{"prefix": "/", "connection": "a", "paths": ["/v1/models"]}]);
    serve(json!({"authz": {"x": {"listen": "127.0.0.1:0", "routes": routes}}}), &[("a", connection)])
}

fn out_of_order() -> Arc<Fake> {
    let fake = Fake::empty(bearer);
    fake.fail(Unavailable {
        code: "exchange-refused".to_owned(),
        message: "the token endpoint refuses".to_owned(),
        retry_after: None,
    });
    fake
}

/// Names and values of headers that replace what is there.
fn replaced(headers: &[HeaderValueOption]) -> Vec<(String, String)> {
    let pairs = headers.iter().map(|option| {
        assert_eq!(option.append_action, i32::from(AppendAction::OverwriteIfExistsOrAdd));
        let header = option.header.as_ref().unwrap();
        (header.key.clone(), String::from_utf8(header.bytes().to_vec()).unwrap())
    });
    pairs.collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn check(serving: &Serving, path: &str, headers: &[(&str, &str)]) -> (i32, HttpResponse) {
    let http = HttpRequest {
        path: path.to_owned(),
        headers: pairs(headers).into_iter().collect(),
        header_map: None,
    };
    let attributes = AttributeContext { request: Some(AttributeRequest { http: Some(http) }) };
    let question = CheckRequest { attributes: Some(attributes) };
    let mut call = Call::unary(&serving.address, CHECK, &question).await;
    let answer: CheckResponse = call.receive().await.unwrap();
    assert_eq!(call.end().await, 0);
    (answer.status.unwrap().code, answer.http_response.unwrap())
}

async fn allowed(serving: &Serving, path: &str, headers: &[(&str, &str)]) -> OkHttpResponse {
    match check(serving, path, headers).await {
        (0, HttpResponse::Ok(answer)) => answer,
        (code, _) => panic!("it is denied: {code}"),
    }
}

async fn denied(serving: &Serving, path: &str) -> (i32, DeniedHttpResponse) {
    match check(serving, path, &[]).await {
        (code, HttpResponse::Denied(answer)) => (code, answer),
        (..) => panic!("it is allowed"),
    }
}

#[tokio::test]
async fn a_check_sets_the_credential_and_removes_every_other() {
    let fake = Fake::bearer();
    let serving = serving(&fake);
    // Its client's words reach a check, all of them: they change nothing.
    let theirs = [("authorization", "Bearer theirs"), ("x-keyless-rejected", "1")];
    let answer = allowed(&serving, "/v1/models?limit=3", &theirs).await;
    let expected = [("authorization", "Bearer token-1"), ("x-keyless-generation", "1")];
    assert_eq!(replaced(&answer.headers), pairs(&expected));
    assert!(answer.headers_to_remove.contains(&"x-api-key".to_owned()));
    assert!(!answer.headers_to_remove.contains(&"authorization".to_owned()));
    assert_eq!(fake.rejected(), [0; 0]);
}

#[tokio::test]
async fn a_check_of_another_path_is_forbidden() {
    let serving = serving(&Fake::bearer());
    for path in ["/v1/files", "/v1/models/../files", "", "v1/models", "/v1/mod\u{e9}ls", "/v1/models\r\nx: y"]
    {
        let (code, answer) = denied(&serving, path).await;
        assert_eq!((code, answer.status.unwrap().code), (7, 403), "{path:?}");
        assert!(answer.body.contains("\"type\":\"keyless\""), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_check_without_a_credential_is_unavailable() {
    let serving = serving(&out_of_order());
    let (code, answer) = denied(&serving, "/v1/models").await;
    assert_eq!((code, answer.status.unwrap().code), (14, 503));
    assert!(replaced(&answer.headers).contains(&("retry-after".to_owned(), "1".to_owned())));
    assert!(answer.body.contains("exchange-refused"));
}

fn head(headers: &[(&str, &str)]) -> HttpHeaders {
    let headers = headers.iter().map(|(name, value)| HeaderValue {
        key: (*name).to_owned(),
        value: String::new(),
        raw_value: value.as_bytes().to_vec(),
    });
    HttpHeaders { headers: Some(HeaderMap { headers: headers.collect() }) }
}

fn request(path: &str) -> ProcessingRequest {
    ProcessingRequest { request: Some(Passing::Request(head(&[(":method", "POST"), (":path", path)]))) }
}

fn response(status: &str) -> ProcessingRequest {
    ProcessingRequest { request: Some(Passing::Response(head(&[(":status", status)]))) }
}

async fn attempt(serving: &Serving, path: &str) -> (Call, Passage) {
    let mut call = Call::open(&serving.address, PROCESS, &request(path)).await;
    let answer: ProcessingResponse = call.receive().await.unwrap();
    (call, answer.response.unwrap())
}

fn mutation(passage: Passage) -> HeaderMutation {
    match passage {
        Passage::Request(head) => head.response.unwrap().header_mutation.unwrap(),
        Passage::Response(_) | Passage::Immediate(_) => panic!("the request does not go on"),
    }
}

fn instead(passage: Passage) -> ImmediateResponse {
    match passage {
        Passage::Immediate(answer) => answer,
        Passage::Request(_) | Passage::Response(_) => panic!("the request goes on"),
    }
}

async fn answered(call: &mut Call, status: &str) {
    call.send(&response(status)).await;
    let passage: ProcessingResponse = call.receive().await.unwrap();
    match passage.response.unwrap() {
        Passage::Response(head) => assert!(head.response.is_none()),
        Passage::Request(_) | Passage::Immediate(_) => panic!("the answer does not go on"),
    }
}

#[tokio::test]
async fn an_attempt_that_is_refused_is_followed_by_one_with_the_next_credential() {
    let fake = Fake::bearer();
    let serving = serving(&fake);
    let (mut first, passage) = attempt(&serving, "/v1/models?limit=3").await;
    let changes = mutation(passage);
    assert_eq!(replaced(&changes.set_headers), pairs(&[("authorization", "Bearer token-1")]));
    assert!(changes.remove_headers.contains(&"x-api-key".to_owned()));
    answered(&mut first, "401").await;
    assert_eq!(fake.rejected(), [1]);
    let (mut second, passage) = attempt(&serving, "/v1/models").await;
    assert_eq!(replaced(&mutation(passage).set_headers), pairs(&[("authorization", "Bearer token-2")]));
    answered(&mut second, "200").await;
    assert_eq!(second.end_of_service().await, 0);
    assert_eq!(fake.rejected(), [1]);
}

#[tokio::test]
async fn a_refused_attempt_waits_for_the_next_credential() {
    let fake = Fake::slow_bearer();
    let serving = serving(&fake);
    let (mut call, _) = attempt(&serving, "/v1/models").await;
    tokio::join!(answered(&mut call, "401"), async {
        while fake.rejected().is_empty() {
            tokio::task::yield_now().await;
        }
        fake.issue();
    });
    let (_, passage) = attempt(&serving, "/v1/models").await;
    assert_eq!(replaced(&mutation(passage).set_headers), pairs(&[("authorization", "Bearer token-2")]));
}

#[tokio::test]
async fn without_a_next_credential_the_refusal_goes_on() {
    let fake = Fake::last_bearer();
    let serving = serving(&fake);
    let (mut call, _) = attempt(&serving, "/v1/models").await;
    answered(&mut call, "401").await;
    assert_eq!(fake.rejected(), [1]);
}

#[tokio::test]
async fn an_attempt_that_must_not_go_on_is_answered() {
    let (mut call, passage) = attempt(&serving(&Fake::bearer()), "/v1/files").await;
    let answer = instead(passage);
    assert_eq!(call.end_of_service().await, 0);
    assert_eq!(answer.status.unwrap().code, 403);
    assert!(String::from_utf8(answer.body).unwrap().contains("path-not-allowed"));
    let (_, passage) = attempt(&serving(&out_of_order()), "/v1/models").await;
    let answer = instead(passage);
    assert_eq!(answer.status.unwrap().code, 503);
    assert!(
        replaced(&answer.headers.unwrap().set_headers).contains(&("retry-after".to_owned(), "1".to_owned()))
    );
}

#[tokio::test]
async fn bodies_are_not_taken() {
    const INVALID_ARGUMENT: u32 = 3;
    let serving = serving(&Fake::bearer());
    let (call, _) = attempt(&serving, "/v1/models").await;
    call.send(&ProcessingRequest { request: None }).await;
    assert_eq!(call.end().await, INVALID_ARGUMENT);
}
