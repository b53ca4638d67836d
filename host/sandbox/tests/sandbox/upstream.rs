//! The API: whom it lets in, and the shape of what it answers.

use std::time::Duration;

use keyless_sandbox::{Options, Sandbox, ServiceName};
use serde_json::{Value, json};

use crate::client::Client;

async fn start() -> Sandbox {
    Sandbox::start(Options { stream_pause: Duration::from_millis(5), ..Options::default() }).await.unwrap()
}

/// The JSON of every `data:` line.
fn events(text: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

#[tokio::test]
async fn only_valid_credentials_open_it() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let first = client.access_token().await;
    let second = client.access_token().await;
    let code = async |bearer: &str| {
        let reply = client.call(bearer, "/v1/models", None).await;
        (
            reply.status.as_u16(),
            if reply.status == 200 { Value::Null } else { reply.json()["error"]["code"].clone() },
        )
    };
    for bearer in [first.as_str(), &second, sandbox.api_key()] {
        assert_eq!(code(bearer).await, (200, Value::Null));
    }
    assert_eq!(code("nobody's").await, (401, json!("invalid_api_key")));
    let missing = client.get(ServiceName::Upstream, "/v1/models").await;
    assert_eq!((missing.status.as_u16(), &missing.json()["error"]["code"]), (401, &Value::Null));
    assert_eq!(missing.json()["error"]["type"], "invalid_request_error");
    assert_eq!(missing.json()["error"]["param"], Value::Null);

    assert!(sandbox.revoke(1) && !sandbox.revoke(1) && !sandbox.revoke(99));
    assert_eq!(code(&first).await, (401, json!("token_revoked")));
    assert_eq!(code(&second).await, (200, Value::Null));

    sandbox.advance_clock(Duration::from_secs(3_601));
    assert_eq!(code(&second).await, (401, json!("token_expired")));
    assert_eq!(code(sandbox.api_key()).await, (200, Value::Null));
    sandbox.rotate_token().unwrap();
    let third = client.access_token().await;
    assert_eq!(sandbox.revoke_all(), 2);
    assert_eq!(code(&third).await, (401, json!("token_revoked")));
    assert_eq!(sandbox.counters(ServiceName::Upstream).answered(401), 5);
}

#[tokio::test]
async fn answers_are_dated_by_the_sandbox_s_clock() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let date = || async {
        let reply = client.get(ServiceName::Upstream, "/v1/models").await;
        httpdate::parse_http_date(reply.header("date")).unwrap()
    };
    let before = date().await;
    sandbox.advance_clock(Duration::from_secs(7_200));
    let passed = date().await.duration_since(before).unwrap().as_secs();
    assert!((7_200..7_230).contains(&passed), "{passed}");
}

#[tokio::test]
async fn whole_answers() {
    let sandbox = start().await;
    let client = Client::http2(&sandbox);
    let token = client.access_token().await;
    let models = client.call(&token, "/v1/models", None).await.json();
    assert_eq!((&models["object"], &models["data"][0]["object"]), (&json!("list"), &json!("model")));

    let asked = json!({"model": "gpt-5", "input": [{"role": "user", "content": [{"type": "input_text", "text": "ping"}]}]});
    let answer = client.call(&token, "/v1/responses", Some(&asked)).await.json();
    let text = answer["output"][0]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("token number 1") && text.ends_with("ping"), "{text}");
    assert_eq!((&answer["status"], &answer["model"]), (&json!("completed"), &json!("gpt-5")));

    let asked = json!({"model": "gpt-5", "messages": [{"role": "user", "content": "pong"}]});
    let answer = client.call(sandbox.api_key(), "/v1/chat/completions", Some(&asked)).await.json();
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("static API key") && text.ends_with("pong"), "{text}");
}

#[tokio::test]
async fn a_streamed_response_arrives_in_pieces() {
    let sandbox = start().await;
    for client in [Client::new(&sandbox), Client::http2(&sandbox)] {
        let token = client.access_token().await;
        let asked = json!({"model": "gpt-5", "input": "one two three", "stream": true});
        let reply = client.call(&token, "/v1/responses", Some(&asked)).await;
        assert!(reply.header("content-type").starts_with("text/event-stream"));
        let events = events(&reply.text());
        assert!(reply.complete && reply.pieces.len() > events.len() / 2, "{} pieces", reply.pieces.len());
        for (number, event) in events.iter().enumerate() {
            assert_eq!(event["sequence_number"], number);
        }
        let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(kinds[0], "response.created");
        assert_eq!(*kinds.last().unwrap(), "response.completed");
        let streamed: String = events
            .iter()
            .filter(|event| event["type"] == "response.output_text.delta")
            .map(|event| event["delta"].as_str().unwrap())
            .collect();
        let last = &events.last().unwrap()["response"];
        assert_eq!(last["output"][0]["content"][0]["text"], streamed);
        assert!(streamed.ends_with("one two three"), "{streamed}");
    }
}

#[tokio::test]
async fn a_streamed_chat_arrives_in_pieces() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let asked = json!({
        "model": "gpt-5",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    let reply = client.call(sandbox.api_key(), "/v1/chat/completions", Some(&asked)).await;
    let text = reply.text();
    assert!(text.ends_with("data: [DONE]\n\n"));
    assert!(reply.pieces.len() > 5, "{} pieces", reply.pieces.len());
    let events = events(&text);
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(events[events.len() - 2]["choices"][0]["finish_reason"], "stop");
    assert!(events[events.len() - 1]["usage"]["total_tokens"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn bad_calls_are_named() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let cases = [
        ("/v1/responses", json!({"input": "x"}), 400, json!("model")),
        ("/v1/responses", json!({"model": "m"}), 400, json!("input")),
        ("/v1/responses", json!({"model": "m", "input": "x", "stream": "yes"}), 400, json!("stream")),
        ("/v1/chat/completions", json!({"model": "m", "messages": []}), 400, json!("messages")),
        ("/v1/nothing", json!({}), 404, Value::Null),
        ("/v1/models", json!({}), 404, Value::Null),
    ];
    for (path, body, status, param) in cases {
        let reply = client.call(sandbox.api_key(), path, Some(&body)).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]["param"]),
            (status, &param),
            "{path} {body}"
        );
    }
}
