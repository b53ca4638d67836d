//! Traces, as a collector gets them.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use keyless_gateway::{Collector, Exporting, Gateway, Traces};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::stand_in::{CANARY, Held, Nowhere, address, ask, config, connections, gateway, get};

/// `ExportTraceServiceRequest` and what is in it, as far as it is sent: nothing else may be there (opentelemetry-proto,
/// trace/v1/trace.proto).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Export {
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResourceSpans {
    resource: Resource,
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    attributes: Vec<KeyValue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeSpans {
    scope: Scope,
    spans: Vec<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scope {
    name: String,
    version: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Span {
    trace_id: String,
    span_id: String,
    parent_span_id: Option<String>,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<KeyValue>,
    status: Option<Status>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    code: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyValue {
    key: String,
    value: AnyValue,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum AnyValue {
    StringValue(String),
    /// 64 bits are a text in protobuf's JSON.
    IntValue(String),
}

impl Span {
    fn attribute(&self, key: &str) -> &str {
        match &self.attributes.iter().find(|attribute| attribute.key == key).unwrap().value {
            AnyValue::StringValue(text) | AnyValue::IntValue(text) => text,
        }
    }

    /// Checks what every span must be, and says how long it took.
    fn took(&self) -> Duration {
        let hexadecimal = |id: &str, length: usize| {
            let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            id.len() == length && id.bytes().all(lower) && id.bytes().any(|byte| byte != b'0')
        };
        assert!(hexadecimal(&self.trace_id, 32) && hexadecimal(&self.span_id, 16), "{self:?}");
        let [start, end] =
            [&self.start_time_unix_nano, &self.end_time_unix_nano].map(|at| at.parse::<u64>().unwrap());
        Duration::from_nanos(end.checked_sub(start).unwrap())
    }
}

/// A collector that answers with this status, and what it was sent.
struct Stand {
    address: String,
    received: mpsc::UnboundedReceiver<(String, String)>,
}

impl Stand {
    async fn new(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, received) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sender = sender.clone();
                let service = service_fn(move |request: http::Request<Incoming>| {
                    let sender = sender.clone();
                    async move {
                        let (head, body) = request.into_parts();
                        assert_eq!(head.headers.get("content-type").unwrap(), "application/json");
                        let body = body.collect().await?.to_bytes();
                        let body = String::from_utf8(body.to_vec()).unwrap();
                        sender.send((format!("{} {}", head.method, head.uri), body)).unwrap();
                        let answer = Full::<bytes::Bytes>::from("{}");
                        Ok::<_, hyper::Error>(Response::builder().status(status).body(answer).unwrap())
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, received }
    }

    fn export(&self) -> (Traces, Exporting) {
        let collector: Collector = format!("http://{}", self.address).parse().unwrap();
        Traces::export(collector.named("gate"), Arc::new(Nowhere))
    }

    /// The spans of the next batch.
    async fn spans(&mut self) -> Vec<Span> {
        let (what, body) = self.received.recv().await.unwrap();
        assert_eq!(what, "POST /v1/traces");
        assert!(!body.contains(CANARY), "{body}");
        let mut export: Export = serde_json::from_str(&body).unwrap();
        let mut resource = export.resource_spans.remove(0);
        let service =
            resource.resource.attributes.iter().find(|attribute| attribute.key == "service.name").unwrap();
        assert!(matches!(&service.value, AnyValue::StringValue(name) if name == "gate"));
        let scope = resource.scope_spans.remove(0);
        assert_eq!((scope.scope.name.as_str(), scope.scope.version.is_empty()), ("keyless", false));
        scope.spans
    }
}

fn serving(traces: Traces, held: &Arc<Held>) -> (Gateway, String, String) {
    let mut gateway = gateway([]).with_traces(traces);
    let tables = json!({"ops": {"listen": "127.0.0.1:0"}, "endpoint": {"x": {"listen": "127.0.0.1:0"}}});
    gateway.apply(&config(tables), &connections(&[("a", held)])).unwrap();
    let (ops, endpoint) = (address(&gateway, "ops"), address(&gateway, "endpoint.x"));
    (gateway, ops, endpoint)
}

#[tokio::test]
async fn a_request_is_a_span_in_the_trace_of_its_client() {
    let held = Held::new("idle");
    held.hold(1);
    let mut collector = Stand::new(200).await;
    let (traces, exporting) = collector.export();
    let (_gateway, ops, endpoint) = serving(traces, &held);

    let mut traced = get(&format!("/v1/credential/a?key={CANARY}"));
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    traced.headers_mut().insert("traceparent", HeaderValue::from_static(parent));
    assert_eq!(ask(&endpoint, traced).await.status(), 200);
    held.lose("exchange-refused", "refused");
    assert_eq!(ask(&endpoint, get(&format!("/v1/credential/a/{CANARY}"))).await.status(), 404);
    assert_eq!(ask(&endpoint, get("/v1/credential/a")).await.status(), 503);
    // Neither of these is recorded: its client does not want it, it is an operator's, it was turned away.
    let mut unsampled = get("/v1/credential/a");
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    unsampled.headers_mut().insert("traceparent", HeaderValue::from_static(parent));
    ask(&endpoint, unsampled).await;
    ask(&ops, get("/metrics")).await;
    let mut from_a_page = get("/v1/credential/a");
    from_a_page.headers_mut().insert("origin", HeaderValue::from_static("https://attacker.example"));
    ask(&endpoint, from_a_page).await;

    exporting.finish().await;
    let spans = collector.spans().await;
    let [first, second, third] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!(first.trace_id, "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(first.parent_span_id.as_deref(), Some("b7ad6b7169203331"));
    assert_eq!(first.kind, 2);
    assert_eq!(first.name, "GET /v1/credential/a");
    assert_eq!(first.attribute("http.request.method"), "GET");
    assert_eq!(first.attribute("http.route"), "/v1/credential/a");
    assert_eq!(first.attribute("http.response.status_code"), "200");
    assert_eq!(first.attribute("keyless.listener"), "endpoint.x");
    assert!(first.status.is_none() && first.took() < Duration::from_secs(30));

    assert_eq!((second.parent_span_id.as_deref(), second.name.as_str()), (None, "GET /v1/credential/a/*"));
    assert!(second.status.is_none(), "a client's fault is none of this program's");
    assert_eq!(third.status.as_ref().map(|status| status.code), Some(2));
    assert!(second.took() < Duration::from_secs(30) && third.took() < Duration::from_secs(30));
    let ids: std::collections::BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_renewal_is_a_span() {
    let mut collector = Stand::new(200).await;
    let (traces, exporting) = collector.export();
    traces.renewal("a", Duration::from_millis(250), Ok(7));
    traces.renewal("b", Duration::from_secs(3), Err("exchange-refused"));
    exporting.finish().await;
    let spans = collector.spans().await;
    let [good, bad] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!((good.name.as_str(), good.kind, good.took()), ("renewal", 1, Duration::from_millis(250)));
    assert_eq!((good.attribute("keyless.connection"), good.attribute("keyless.generation")), ("a", "7"));
    assert!(good.status.is_none());
    assert_eq!((bad.attribute("keyless.connection"), bad.attribute("error.type")), ("b", "exchange-refused"));
    assert_eq!(bad.status.as_ref().map(|status| status.code), Some(2));
}

#[tokio::test]
async fn many_spans_go_in_batches_without_waiting() {
    let mut collector = Stand::new(200).await;
    let (traces, exporting) = collector.export();
    for generation in 0..1_100 {
        traces.renewal("a", Duration::ZERO, Ok(generation));
    }
    // Full batches leave at once; the rest when it is over.
    assert_eq!((collector.spans().await.len(), collector.spans().await.len()), (512, 512));
    exporting.finish().await;
    assert_eq!(collector.spans().await.len(), 76);
}

#[tokio::test]
async fn a_collector_that_fails_or_is_not_there_disturbs_nobody() {
    let held = Held::new("idle");
    held.hold(1);
    let mut collector = Stand::new(503).await;
    let (traces, exporting) = collector.export();
    let (_gateway, _, endpoint) = serving(traces, &held);
    assert_eq!(ask(&endpoint, get("/v1/credential/a")).await.status(), 200);
    exporting.finish().await;
    assert_eq!(collector.spans().await.len(), 1);
    assert_eq!(ask(&endpoint, get("/v1/credential/a")).await.status(), 200);

    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (traces, exporting) = Traces::export(format!("http://{gone}").parse().unwrap(), Arc::new(Nowhere));
    for _ in 0..10_000 {
        traces.renewal("a", Duration::ZERO, Ok(1));
    }
    exporting.finish().await;
}
