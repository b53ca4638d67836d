//! Spans as OTLP has them in JSON: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>. Identifiers are
//! hexadecimal, 64-bit numbers are texts.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value as Json, json};

use super::span::{Kind, Span, Value};

/// The body of one request: `ExportTraceServiceRequest`.
pub(super) fn body(service: &str, spans: &[Span]) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let resource = [("service.name", service), ("service.version", version)]
        .map(|(key, value)| json!({"key": key, "value": {"stringValue": value}}));
    json!({
        "resourceSpans": [{
            "resource": {"attributes": resource},
            "scopeSpans": [{
                "scope": {"name": "keyless", "version": version},
                "spans": spans.iter().map(span).collect::<Vec<_>>(),
            }],
        }],
    })
    .to_string()
}

fn span(span: &Span) -> Json {
    let mut out = Map::new();
    let mut set = |name: &str, value: Json| out.insert(name.to_owned(), value);
    set("traceId", json!(format!("{:032x}", span.context.trace)));
    set("spanId", json!(format!("{:016x}", span.context.span)));
    if let Some(parent) = span.parent {
        set("parentSpanId", json!(format!("{parent:016x}")));
    }
    set("name", json!(span.name));
    set(
        "kind",
        json!(match span.kind {
            Kind::Internal => 1,
            Kind::Server => 2,
        }),
    );
    set("startTimeUnixNano", json!(nanoseconds(span.started_at)));
    set(
        "endTimeUnixNano",
        json!(nanoseconds(span.started_at.checked_add(span.took).unwrap_or(span.started_at))),
    );
    let attributes = span.attributes.iter().map(|(key, value)| json!({"key": key, "value": any(value)}));
    set("attributes", attributes.collect());
    if span.failed {
        set("status", json!({"code": 2}));
    }
    Json::Object(out)
}

fn any(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!({"stringValue": text}),
        Value::Shared(text) => json!({"stringValue": &**text}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
    }
}

fn nanoseconds(at: SystemTime) -> String {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()).to_string()
}
