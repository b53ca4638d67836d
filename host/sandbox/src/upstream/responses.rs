//! `POST /v1/responses`: OpenAI's Responses API, whole or streamed.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{ApiError, Call, sse};
use crate::answer;
use crate::body::Body;
use crate::random;

pub(super) fn answer(call: &Call) -> Result<Response<Body>, ApiError> {
    if call.body.get("input").is_none() {
        return Err(ApiError::bad_request(Some("input"), "Missing required parameter: 'input'."));
    }
    let ids = Ids::new().map_err(|_| ApiError::internal())?;
    if !call.streamed {
        return Ok(answer::json(StatusCode::OK, &finished(call, &ids)));
    }
    let events = events(call, &ids)
        .into_iter()
        .enumerate()
        .map(|(number, (name, mut event))| {
            if let Some(event) = event.as_object_mut() {
                event.insert("type".to_owned(), Value::String(name.to_owned()));
                event.insert("sequence_number".to_owned(), number.into());
            }
            sse::named(name, &event)
        })
        .collect();
    Ok(sse::stream(events, call.pause))
}

struct Ids {
    response: String,
    message: String,
}

impl Ids {
    fn new() -> Result<Self, ring::error::Unspecified> {
        Ok(Self {
            response: format!("resp_{}", random::hex(48)?),
            message: format!("msg_{}", random::hex(48)?),
        })
    }
}

/// The events of a stream in their order, without `type` and `sequence_number`, which follow from it.
fn events(call: &Call, ids: &Ids) -> Vec<(&'static str, Value)> {
    let at = |more: Value| {
        let mut place = json!({"item_id": ids.message, "output_index": 0, "content_index": 0});
        if let (Some(place), Value::Object(more)) = (place.as_object_mut(), more) {
            place.extend(more);
        }
        place
    };
    let started = response(call, ids, "in_progress", &json!([]), &Value::Null);
    let empty_part = part("");
    let whole_part = part(&call.reply);

    let mut events = vec![
        ("response.created", json!({"response": started})),
        ("response.in_progress", json!({"response": started})),
        (
            "response.output_item.added",
            json!({"output_index": 0, "item": message(ids, "in_progress", &json!([]))}),
        ),
        ("response.content_part.added", at(json!({"part": empty_part}))),
    ];
    for piece in call.pieces() {
        events.push(("response.output_text.delta", at(json!({"delta": piece, "logprobs": []}))));
    }
    events.extend([
        ("response.output_text.done", at(json!({"text": call.reply, "logprobs": []}))),
        ("response.content_part.done", at(json!({"part": whole_part}))),
        (
            "response.output_item.done",
            json!({"output_index": 0, "item": message(ids, "completed", &json!([whole_part]))}),
        ),
        ("response.completed", json!({"response": finished(call, ids)})),
    ]);
    events
}

fn finished(call: &Call, ids: &Ids) -> Value {
    let output = json!([message(ids, "completed", &json!([part(&call.reply)]))]);
    let input_tokens = call.body.to_string().len() / 4;
    let usage = json!({
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": call.reply_tokens(),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + call.reply_tokens(),
    });
    response(call, ids, "completed", &output, &usage)
}

fn response(call: &Call, ids: &Ids, status: &str, output: &Value, usage: &Value) -> Value {
    json!({
        "id": ids.response,
        "object": "response",
        "created_at": call.created_s,
        "status": status,
        "background": false,
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "max_output_tokens": null,
        "metadata": {},
        "model": call.model,
        "output": output,
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null},
        "store": false,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
    })
}

fn message(ids: &Ids, status: &str, content: &Value) -> Value {
    json!({"id": ids.message, "type": "message", "role": "assistant", "status": status, "content": content})
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}
