//! Finds what was asked, wherever the two APIs put it, and makes the reply.

use serde_json::Value;

/// Longer questions are not repeated in full.
const QUOTED_CHARACTERS: usize = 200;

/// One or two sentences that show which credential opened the API.
pub(crate) fn reply(body: &Value, caller: &str) -> String {
    let greeting = format!("Hello from the sandbox. This call was opened by {caller}.");
    match question(body) {
        Some(question) => {
            let quoted: String = question.chars().take(QUOTED_CHARACTERS).collect();
            format!("{greeting} You said: {quoted}")
        }
        None => greeting,
    }
}

/// `input` of the Responses API or the last of `messages` of the Chat API.
fn question(body: &Value) -> Option<&str> {
    match body.get("input").or_else(|| body.get("messages"))? {
        Value::String(text) => Some(text),
        Value::Array(messages) => text_of(messages.last()?),
        _ => None,
    }
}

fn text_of(message: &Value) -> Option<&str> {
    match message.get("content")? {
        Value::String(text) => Some(text),
        Value::Array(parts) => parts.iter().find_map(|part| part.get("text")?.as_str()),
        _ => None,
    }
}
