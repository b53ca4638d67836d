//! Recorded runs, compared with what a host decides.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::conformance;

/// A lease of an hour, from a document and a token file to the second credential.
fn replay() -> Value {
    let token = "eyJhbGciOiJub25lIn0.e30.x";
    let body = |token: &str| {
        let answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600}).to_string();
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, answer)
    };
    let file = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, token);
    let at = |ms: u64| json!({"wall-ms": 1_800_000_000_000_u64 + ms, "monotonic-ms": ms});
    json!({
        "document": r#"{"source":{"type":"file","token_file_path":"/t"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"s"}}"#,
        "variables": [],
        "steps": [
            {"now": at(0), "event": "tick"},
            {"now": at(1), "event": {"file": [1, {"ok": file}]}},
            {"now": at(20), "event": {"response": [2, {"ok": {"status": 200, "headers": [{"name": "a", "value": "ü"}], "body": body("one")}}]}},
            {"now": at(30), "event": {"reject": 1}},
            {"now": at(31), "event": {"file": [3, {"err": "missing"}]}},
            {"now": at(40), "event": {"source": [9, {"err": {"failed": "words"}}]}},
            {"now": at(50), "event": {"response": [4, {"err": "timed-out"}]}},
        ],
    })
}

pub(crate) fn compared() {
    let folder = TempDir::new().unwrap();
    let answer = recorded(&replay());
    let decisions = serde_json::from_str::<Value>(&answer).unwrap()["decisions"].as_array().unwrap().len();
    assert_eq!(decisions, 7, "{answer}");
    for decision in ["\"read-file\"", "\"send\"", "\"generation\":1"] {
        assert!(answer.contains(decision), "{decision} is not in {answer}");
    }
    let line = |name: &str, answer: &str| {
        format!("{{\"name\":\"{name}\",\"replay\":{},\"answer\":{answer}}}\n", replay())
    };
    // More than are sent ahead.
    let alike: String = (0..300).map(|number| line(&format!("life-{number}"), &answer)).collect();
    let file = folder.path().join("traces.jsonl");
    fs::write(&file, &alike).unwrap();
    let path = file.to_str().unwrap();
    let options = ["--only", "replay", "--traces", path, "--json"];
    let outcome = conformance(&options, &["--be", "small"]);
    let traces = &outcome.report()["traces"];
    assert_eq!(
        (outcome.code, &traces["replayed"], &traces["alike"]),
        (0, &300.into(), &300.into()),
        "{outcome:?}"
    );

    let other = answer.replacen("\"generation\":1", "\"generation\":7", 1);
    fs::write(&file, line("right", &answer) + &line("wrong", &other)).unwrap();
    let outcome = conformance(&options, &["--be", "small"]);
    let traces = &outcome.report()["traces"];
    assert_eq!(
        (outcome.code, &traces["replayed"], &traces["alike"]),
        (1, &2.into(), &1.into()),
        "{outcome:?}"
    );
    let difference = &traces["differences"][0];
    assert_eq!(
        (&difference["name"], &difference["place"]),
        (&"wrong".into(), &"decision 2".into()),
        "{outcome:?}"
    );
    let text = conformance(&["--only", "replay", "--traces", path], &["--be", "small"]).out;
    assert!(
        text.contains("wrong differs: decision 2") && text.contains("2 traces replayed, 1 alike"),
        "{text}"
    );

    fs::write(&file, "{\"name\":1}\n").unwrap();
    let outcome = conformance(&options, &["--be", "small"]);
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(outcome.err.contains("traces-unreadable") && outcome.err.contains("line 1"), "{outcome:?}");
}

pub(crate) fn unsupported() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("traces.jsonl");
    fs::write(&file, "{\"name\":\"a\",\"replay\":{},\"answer\":{}}\n").unwrap();
    let options = ["--only", "hello", "--traces", file.to_str().unwrap(), "--json"];
    let outcome = conformance(&options, &["--be", "library"]);
    assert_eq!((outcome.code, &outcome.report()["traces"]), (0, &Value::Null), "{outcome:?}");
}

/// What the small host itself answers.
fn recorded(replay: &Value) -> String {
    let itself = std::env::current_exe().unwrap();
    let mut host = Command::new(itself)
        .args(["--be", "small"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = host.stdin.take().unwrap();
    writeln!(stdin, "{}", json!({"replay": replay})).unwrap();
    drop(stdin);
    let output = host.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
