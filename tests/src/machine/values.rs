//! What goes in and what comes out, by the names in `wit/machine.wit`.

use keyless_engine::Event;
use keyless_engine::io::{Effect, Now, Request, Response, SourceFault};
use keyless_engine::secret::Secret;
use keyless_scenarios::replay::{file_fault, send_fault};
use wasmtime::component::Val;

use crate::component::values::{Record, list, number, optional, text, two};

pub(super) fn now(now: Now) -> Val {
    record([("wall-ms", Val::U64(now.wall_ms)), ("monotonic-ms", Val::U64(now.monotonic_ms))])
}

pub(super) fn event(event: Event) -> Val {
    match event {
        Event::Tick => variant("tick", None),
        Event::File(id, read) => {
            answered("file", id, read.map(|content| bytes(&content)), |fault| enumerated(file_fault(fault)))
        }
        Event::Response(id, sent) => {
            answered("response", id, sent.map(response), |fault| enumerated(send_fault(fault)))
        }
        Event::Source(id, asked) => {
            answered("source", id, asked.map(|token| string(token.expose())), source_fault)
        }
        Event::Reject(generation) => variant("reject", Some(Val::U64(generation))),
    }
}

pub(super) fn effects(value: Val) -> Vec<Effect> {
    list(&value).iter().map(effect).collect()
}

fn effect(value: &Val) -> Effect {
    let Val::Variant(case, Some(payload)) = value else { panic!("not an effect") };
    match case.as_str() {
        "read-file" => {
            let read = Record::new(payload, 3);
            Effect::ReadFile {
                id: number(read.get("id")),
                path: text(read.get("path")),
                limit: size(read.get("limit")),
            }
        }
        "send" => {
            let request = Record::new(payload, 7);
            let header = |value: &Val| {
                let (name, value) = two(value, "name", "value");
                (lasting(name), Secret::new(value))
            };
            let Val::List(body) = request.get("body") else { panic!("not a list") };
            let byte = |value: &Val| if let Val::U8(byte) = value { *byte } else { panic!("not a u8") };
            Effect::Send {
                id: number(request.get("id")),
                request: Request {
                    method: lasting(text(request.get("method"))),
                    url: text(request.get("url")),
                    headers: list(request.get("headers")).iter().map(header).collect(),
                    body: body.iter().map(byte).collect::<Vec<_>>().into(),
                    timeout_ms: size(request.get("timeout-ms")) as u64,
                    response_limit: size(request.get("response-limit")),
                },
            }
        }
        "ask-source" => {
            let question = Record::new(payload, 2);
            Effect::AskSource {
                id: number(question.get("id")),
                audience: optional(question.get("audience")).map(text),
            }
        }
        "cancel" => Effect::Cancel { id: number(payload) },
        other => panic!("no effect {other}"),
    }
}

/// The engine's own are constants of its code. Here there are a dozen different ones, and a few for each scenario.
fn lasting(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn size(value: &Val) -> usize {
    let Val::U32(number) = value else { panic!("not a u32") };
    usize::try_from(*number).unwrap()
}

fn response(response: Response) -> Val {
    let header =
        |(name, value): &(String, String)| record([("name", string(name)), ("value", string(value))]);
    record([
        ("status", Val::U16(response.status)),
        ("headers", Val::List(response.headers.iter().map(header).collect())),
        ("body", bytes(&response.body)),
    ])
}

fn source_fault(fault: SourceFault) -> Val {
    match fault {
        SourceFault::Absent => variant("absent", None),
        SourceFault::Failed(words) => variant("failed", Some(string(&words))),
    }
}

fn answered<E>(case: &str, id: u64, result: Result<Val, E>, fault: impl Fn(E) -> Val) -> Val {
    let result = result.map(|value| Some(Box::new(value))).map_err(|error| Some(Box::new(fault(error))));
    variant(case, Some(Val::Tuple(vec![Val::U64(id), Val::Result(result)])))
}

fn bytes(bytes: &[u8]) -> Val {
    Val::List(bytes.iter().copied().map(Val::U8).collect())
}

fn string(text: &str) -> Val {
    Val::String(text.to_owned())
}

fn enumerated(case: &str) -> Val {
    Val::Enum(case.to_owned())
}

fn variant(case: &str, payload: Option<Val>) -> Val {
    Val::Variant(case.to_owned(), payload.map(Box::new))
}

fn record<const N: usize>(fields: [(&str, Val); N]) -> Val {
    Val::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
