//! `POST /v1/chat/completions`: OpenAI's Chat Completions API, whole or streamed.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{ApiError, Call, sse};
use crate::answer;
use crate::body::Body;
use crate::random;

pub(super) fn answer(call: &Call) -> Result<Response<Body>, ApiError> {
    if call.body.get("messages").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(ApiError::bad_request(Some("messages"), "Missing required parameter: 'messages'."));
    }
    let id = format!("chatcmpl-{}", random::hex(29).map_err(|_| ApiError::internal())?);
    if call.streamed { Ok(streamed(call, &id)) } else { Ok(whole(call, &id)) }
}

fn whole(call: &Call, id: &str) -> Response<Body> {
    let message = json!({"role": "assistant", "content": call.reply, "refusal": null, "annotations": []});
    let body = json!({
        "id": id,
        "object": "chat.completion",
        "created": call.created_s,
        "model": call.model,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
        "usage": usage(call),
        "system_fingerprint": null,
    });
    answer::json(StatusCode::OK, &body)
}

fn streamed(call: &Call, id: &str) -> Response<Body> {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({
            "id": id,
            "object": "chat.completion.chunk",
            "created": call.created_s,
            "model": call.model,
            "choices": choices,
            "usage": usage,
            "system_fingerprint": null,
        });
        sse::unnamed(&chunk.to_string())
    };
    let choice = |delta: Value, finish_reason: Value| json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason}]);
    let mut events =
        vec![chunk(choice(json!({"role": "assistant", "content": ""}), Value::Null), Value::Null)];
    events.extend(
        call.pieces().map(|piece| chunk(choice(json!({"content": piece}), Value::Null), Value::Null)),
    );
    events.push(chunk(choice(json!({}), json!("stop")), Value::Null));
    let wants_usage = call.body.pointer("/stream_options/include_usage") == Some(&Value::Bool(true));
    if wants_usage {
        events.push(chunk(json!([]), usage(call)));
    }
    events.push(sse::unnamed("[DONE]"));
    sse::stream(events, call.pause)
}

fn usage(call: &Call) -> Value {
    let prompt_tokens = call.body.to_string().len() / 4;
    json!({
        "prompt_tokens": prompt_tokens,
        "completion_tokens": call.reply_tokens(),
        "total_tokens": prompt_tokens + call.reply_tokens(),
    })
}
