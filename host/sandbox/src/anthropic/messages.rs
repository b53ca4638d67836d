//! `POST /v1/messages`, whole or streamed (platform.claude.com, "Messages" and "Streaming messages").

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::ApiError;
use crate::answer;
use crate::body::Body;
use crate::random;
use crate::upstream::{prompt, sse};
use crate::world::World;

pub(super) fn answer(body: &[u8], caller: &str, world: &World) -> Result<Response<Body>, ApiError> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| ApiError::bad_request("The request body is not valid JSON"))?;
    let model = match body.get("model").and_then(Value::as_str) {
        Some(model) if !model.is_empty() => model,
        _ => return Err(ApiError::bad_request("model: Field required")),
    };
    if body.get("max_tokens").and_then(Value::as_u64).is_none_or(|count| count == 0) {
        return Err(ApiError::bad_request("max_tokens: Field required"));
    }
    if body.get("messages").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(ApiError::bad_request("messages: at least one message is required"));
    }
    let streamed = match body.get("stream") {
        None => false,
        Some(Value::Bool(streamed)) => *streamed,
        Some(_) => return Err(ApiError::bad_request("stream: Input should be a valid boolean")),
    };
    let failed = |_| ApiError(StatusCode::INTERNAL_SERVER_ERROR, "api_error", "Internal server error");
    let reply = Reply {
        id: format!("msg_{}", random::hex(24).map_err(failed)?),
        model,
        input_tokens: body.to_string().len() / 4,
        text: prompt::reply(&body, caller),
    };
    if streamed {
        let events = reply.events().iter().map(|event| sse::named(kind(event), event)).collect();
        return Ok(sse::stream(events, world.options.stream_pause));
    }
    let content = json!([{"type": "text", "text": reply.text}]);
    Ok(answer::json(StatusCode::OK, &reply.message(&content, &json!("end_turn"), reply.pieces().count())))
}

/// What the "model" answers.
struct Reply<'a> {
    id: String,
    model: &'a str,
    input_tokens: usize,
    text: String,
}

impl Reply<'_> {
    fn message(&self, content: &Value, stop_reason: &Value, output_tokens: usize) -> Value {
        json!({
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": null,
            "usage": {"input_tokens": self.input_tokens, "output_tokens": output_tokens},
        })
    }

    /// In the order in which they are sent.
    fn events(&self) -> Vec<Value> {
        let mut events = vec![
            json!({"type": "message_start", "message": self.message(&json!([]), &Value::Null, 1)}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "ping"}),
        ];
        events.extend(self.pieces().map(|piece| {
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}})
        }));
        events.extend([
            json!({"type": "content_block_stop", "index": 0}),
            json!({
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": null},
                "usage": {"output_tokens": self.pieces().count()},
            }),
            json!({"type": "message_stop"}),
        ]);
        events
    }

    /// Words with the space after them.
    fn pieces(&self) -> impl Iterator<Item = &str> {
        self.text.split_inclusive(' ')
    }
}

/// An event is named as its type.
fn kind(event: &Value) -> &str {
    event.get("type").and_then(Value::as_str).unwrap_or_default()
}
