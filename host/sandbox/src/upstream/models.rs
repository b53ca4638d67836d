//! `GET /v1/models`.

use serde_json::{Value, json};

/// Any model is accepted in a call; these are the ones that are listed.
const LISTED: &[&str] = &["gpt-5", "gpt-5-mini", "sandbox-echo"];

/// 2025-08-07, a date like any other.
const CREATED_S: u64 = 1_754_524_800;

pub(super) fn list() -> Value {
    let data: Vec<Value> = LISTED
        .iter()
        .map(|id| json!({"id": id, "object": "model", "created": CREATED_S, "owned_by": "sandbox"}))
        .collect();
    json!({"object": "list", "data": data})
}
