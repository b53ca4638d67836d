//! A marked secret leaves by standard output when it is asked for, and in no other way.

use crate::harness::{Scratch, World};

const CANARY: &str = "sk-canary-7f3a";

/// As much as can be logged.
const LOUD: [&str; 2] = ["-vvv", "--log-format=json"];

#[test]
fn a_key_is_on_standard_output_only() {
    let document = format!(r#"{{"api_key":"{CANARY}"}}"#);
    let airflow = format!("openai://:{CANARY}@");
    let scratch = Scratch::new();
    for connection in [&document, &airflow] {
        for arguments in [&["token"][..], &["token", "--format", "json"], &["run", "--", "true"]] {
            let outcome =
                scratch.keyless(LOUD.iter().chain(arguments)).env("KEYLESS_CONNECTION", connection).outcome();
            assert_eq!(outcome.code, 0, "{outcome:?}");
            assert_eq!(outcome.out.contains(CANARY), arguments[0] == "token");
            outcome.says_nothing_of(CANARY);
        }
        for arguments in [&["plan"][..], &["plan", "--json"]] {
            let outcome =
                scratch.keyless(LOUD.iter().chain(arguments)).env("KEYLESS_CONNECTION", connection).outcome();
            assert!(!outcome.out.contains(CANARY), "{outcome:?}");
            outcome.says_nothing_of(CANARY);
        }
    }
}

#[test]
fn exchanged_tokens_are_not_logged() {
    let world = World::new();
    let subject = std::fs::read_to_string(world.sandbox.token_path()).unwrap();
    for log in
        ["keyless=trace", "trace", "hyper=trace,h2=trace,rustls=trace,wasmtime_wasi_http=trace,keyless=trace"]
    {
        let outcome = world.keyless(["token"]).env("KEYLESS_LOG", log).outcome();
        assert_eq!(outcome.code, 0, "{outcome:?}");
        let token = outcome.out.trim_end().to_owned();
        assert!(!outcome.err.is_empty(), "nothing was logged with {log}");
        for secret in [&*token, &token[..20], subject.trim_end(), &subject[subject.len() - 40..]] {
            assert!(!outcome.err.contains(secret), "{log}: {}", outcome.err);
        }
    }
}

#[test]
fn help_shows_no_value_of_the_environment() {
    let scratch = Scratch::new();
    for arguments in [&["--help"][..], &["token", "--help"], &["run", "-h"], &[]] {
        let mut keyless = scratch.keyless(arguments);
        for name in [
            "CONNECTION",
            "CONFIG",
            "LOCKED",
            "CA_CERT",
            "CONNECT_TO",
            "COMPONENT",
            "CACHE_DIR",
            "FORMAT",
            "TIMEOUT",
        ] {
            keyless = keyless.env(&format!("KEYLESS_{name}"), CANARY);
        }
        let outcome = keyless.outcome();
        assert!(!outcome.out.contains(CANARY) && !outcome.err.contains(CANARY), "{outcome:?}");
    }
}

#[test]
fn mistakes_do_not_quote_it() {
    let scratch = Scratch::new();
    scratch.file("conn.yaml", format!("api_key: '{CANARY}\n"));
    scratch.file("conn.toml", format!("api_key = {CANARY}\n"));
    scratch.file("conn.json", format!("{{\"api_key\": {CANARY}}}"));
    scratch.file("lock", format!("{{\"version\": 1, \"{CANARY}\": 2}}"));
    for arguments in [
        &["token", CANARY][..],
        &[CANARY],
        &["token", "-c", CANARY],
        &["token", "-c", "sk-canary-7f3a with words"],
        &["token", "-c", "openai://sk-canary-7f3a://x://y"],
        &["token", "-c", "{\"api_key\": [\"sk-canary-7f3a\"]}"],
        &["token", "-c", "{\"api_key\": \"sk-canary-7f3a\\n\\u0001\"}"],
        &["token", "-c", "@conn.yaml"],
        &["token", "-c", "@conn.toml"],
        &["token", "-c", "@conn.json"],
        &["token", "--format", CANARY, "-c", "{}"],
        &["run", CANARY],
    ] {
        let outcome = scratch.keyless(LOUD.iter().chain(arguments)).outcome();
        assert_eq!(outcome.code, 2, "{outcome:?}");
        outcome.says_nothing_of(CANARY);
    }
}
