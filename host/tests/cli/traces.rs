//! Traces of `keyless serve`, and its lines about requests: through a proxy to an API, and at a collector, both of which this test plays.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Keyless, Scratch};
use crate::serve::Serving;

/// Answers every request with 200, and hands out what it was sent: the head, and the body.
fn listening() -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, requests) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            // Whoever is gone is of no interest any more.
            let Some(request) = answered(stream.unwrap()) else { continue };
            if sender.send(request).is_err() {
                break;
            }
        }
    });
    (address, requests)
}

fn answered(stream: TcpStream) -> Option<(String, String)> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    stream.get_mut().write_all(answer.as_bytes()).ok()?;
    Some((head, String::from_utf8(body).ok()?))
}

fn next(requests: &Receiver<(String, String)>) -> (String, String) {
    requests.recv_timeout(Duration::from_secs(60)).unwrap()
}

/// Every span of a batch, and the service that it is of.
fn spans(body: &str) -> (String, Vec<Value>) {
    let body: Value = serde_json::from_str(body).unwrap();
    let resource = &body["resourceSpans"][0];
    let service = resource["resource"]["attributes"][0]["value"]["stringValue"].as_str().unwrap().to_owned();
    (service, resource["scopeSpans"][0]["spans"].as_array().unwrap().clone())
}

fn attribute(span: &Value, key: &str) -> Value {
    let attributes = span["attributes"].as_array().unwrap();
    attributes.iter().find(|attribute| attribute["key"] == key).unwrap()["value"].clone()
}

fn start(mut keyless: Keyless) -> Serving {
    keyless.command.stdin(Stdio::null());
    Serving::with_input(keyless)
}

#[test]
fn a_request_is_in_one_trace_from_the_client_to_the_api_and_a_renewal_has_its_own() {
    let (api, asked) = listening();
    let (collector, exported) = listening();
    let scratch = Scratch::new();
    scratch.file(
        "keyless.toml",
        format!(
            "[connections.a]\napi_key = 'sk-canary'\napi.base_url = 'http://{api}/v1'\n\
             [proxy.x]\nlisten = '127.0.0.1:0'\nconnection = 'a'\n"
        ),
    );
    let mut serving = start(scratch.keyless(["serve", "-vv", "--traces", &format!("http://{collector}")]));
    let mut client = TcpStream::connect(serving.address()).unwrap();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    write!(
        client,
        "GET /v1/models?key=sk-canary HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         traceparent: 00-{trace}-b7ad6b7169203331-01\r\ntracestate: vendor=1\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (head, _) = next(&asked);
    let passed_on = head.lines().find_map(|line| line.strip_prefix("traceparent: ")).unwrap();
    assert!(head.contains("tracestate: vendor=1\r\n"), "{head}");
    let line = serving.logs("answered");
    assert!(!line.to_string().contains("canary"), "{line}");
    assert_eq!((&line["listener"], &line["method"]), (&"proxy.x".into(), &"GET".into()));
    assert_eq!(
        (&line["route"], &line["status"], &line["bytes"]),
        (&"/v1/models".into(), &200.into(), &2.into())
    );
    assert_eq!((&line["trace"], &line["cut"]), (&trace.into(), &false.into()));
    assert!(line["elapsed_ms"].is_u64(), "{line}");
    assert_eq!(serving.end(), Some(0));

    let (head, body) = next(&exported);
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    assert!(!body.contains("canary") && !head.contains("canary"), "{body}");
    let (service, spans) = spans(&body);
    assert_eq!(service, "keyless");
    let [renewal, request] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!(renewal["name"], "renewal");
    assert_eq!(attribute(renewal, "keyless.connection")["stringValue"], "a");
    assert_eq!(attribute(renewal, "keyless.generation")["intValue"], "1");
    assert_eq!(request["name"], "GET /v1/models");
    assert_eq!((&request["traceId"], &request["parentSpanId"]), (&trace.into(), &"b7ad6b7169203331".into()));
    assert_eq!(passed_on, format!("00-{trace}-{}-01", request["spanId"].as_str().unwrap()));
}

#[test]
fn a_failed_renewal_is_told_where_the_environment_says() {
    let (collector, exported) = listening();
    let scratch = Scratch::new();
    scratch.file(
        "keyless.toml",
        "[connections.b]\nsource = { type = 'file', token_file_path = '/nonexistent/token' }\n\
         exchange = { identity_provider_id = 'idp_1', service_account_id = 'svc_acct_1' }\n\
         [endpoint.x]\nlisten = '127.0.0.1:0'\n",
    );
    let keyless =
        scratch.keyless(["serve"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"));
    let mut serving = start(keyless.env("OTEL_SERVICE_NAME", "gate"));
    serving.logs("renewal failed");
    assert_eq!(serving.end(), Some(0));
    let (service, spans) = spans(&next(&exported).1);
    assert_eq!(service, "gate");
    assert_eq!(attribute(&spans[0], "keyless.connection")["stringValue"], "b");
    assert!(attribute(&spans[0], "error.type")["stringValue"].as_str().unwrap().starts_with("token-"));
    assert_eq!(spans[0]["status"]["code"], 2);
}

#[test]
fn a_collector_that_cannot_be_one_is_said_at_the_start() {
    let scratch = Scratch::new();
    scratch.file("keyless.toml", "[connections.a]\napi_key = 'sk-1'\n[endpoint.x]\nlisten = '127.0.0.1:0'\n");
    let wrong = "127.0.0.1:4318";
    scratch.keyless(["serve", "--traces", wrong]).outcome().failure(2, "usage").says("http://127.0.0.1:4318");
    let keyless = scratch.keyless(["serve"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", wrong);
    keyless.outcome().failure(2, "traces-endpoint").says("http://127.0.0.1:4318");
}
