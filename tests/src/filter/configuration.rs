//! The plugin's configuration: what is wrong with it is said, in both forms in which Envoy hands it over.

use keyless_scenarios::mutation::{every_prefix, mutations};
use keyless_scenarios::tables::documents;
use keyless_scenarios::trace::Problem;
use keyless_scenarios::world::World;
use serde_json::{Value, json};

use super::envoy::Envoy;
use super::host::{configuration, refusal};
use super::process::{ERROR, Line, WARN};
use super::stage::{Stage, issues, scenario};
use super::{agreement, structs};

const FILE: &str = "/var/run/secrets/tokens/token";

fn exchange() -> Value {
    json!({"identity_provider_id": "idp_1", "service_account_id": "svc_acct_1"})
}

fn from_a_file() -> Value {
    json!({"source": {"type": "file", "token_file_path": FILE}, "exchange": exchange()})
}

fn from_azure() -> Value {
    json!({"source": {"type": "azure", "resource": "api://keyless"}, "exchange": exchange()})
}

fn key() -> Value {
    json!({"api_key": "sk-CANARY"})
}

fn envoy() -> Envoy {
    let mut envoy = Envoy::new(World::new(&scenario(&[])).unwrap());
    envoy.add_worker(Vec::new());
    envoy
}

/// What the filter says of it.
fn tried(configuration: &[u8]) -> Result<Vec<Line>, Problem> {
    let mut envoy = envoy();
    match envoy.workers[0].configure("plugin", configuration) {
        Some(_) => Ok(envoy.process.borrow().log.clone()),
        None => {
            let process = envoy.process.borrow();
            let errors = process.log.iter().filter(|line| line.level == ERROR).count();
            assert_eq!(errors, 1, "{:?}", process.log);
            assert!(process.data.is_empty(), "something is shared");
            Err(refusal(&envoy))
        }
    }
}

/// And that it says the same of it as protobuf.
fn tried_as_both(configuration: &Value) -> Result<Vec<Line>, Problem> {
    let result = tried(configuration.to_string().as_bytes());
    if let Value::Object(map) = configuration {
        // Nothing at all is nothing in both forms.
        let bytes = structs::object(map);
        if !bytes.is_empty() {
            assert_eq!(tried(&bytes), result, "as protobuf: {configuration}");
        }
    }
    result
}

#[test]
fn what_is_no_configuration_is_refused() {
    for (text, code, words) in [
        ("", "document-empty", "write a JSON object"),
        (" \n", "document-empty", "write a JSON object"),
        ("{", "document-syntax", "line 1, column 1"),
        ("{\"connection\":\n sk-CANARY}", "document-syntax", "line 2, column 2"),
        ("openai://CANARY", "document-syntax", "line 1, column 1"),
        ("[]", "document-form", "write one with `connection`"),
        ("\"CANARY\"", "document-form", "write one with `connection`"),
        ("null", "document-form", "write one with `connection`"),
        ("\u{0}\u{1}\u{2}", "document-syntax", "line 1"),
        // Struct, and cut off.
        ("\n\u{10}\n\u{1}a", "document-syntax", "line"),
    ] {
        let problem = tried(text.as_bytes()).expect_err(text);
        assert_eq!((problem.kind.as_str(), problem.code.as_str()), ("invalid", code), "{text}: {problem:?}");
        assert!(problem.message.contains(words), "{text}: {problem:?}");
        assert!(!problem.message.contains("CANARY"), "{problem:?}");
    }
}

#[test]
fn a_wrong_field_is_named() {
    let with = |connection: Value, more: Value| {
        let mut configuration = json!({"connection": connection});
        configuration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        configuration
    };
    let clusters = json!({"exchange_cluster": "a", "identity_cluster": "b"});
    let component = json!({"type": "custom", "component": "/x.wasm", "files": ["/etc/secret"]});
    let custom = json!({"source": component, "exchange": exchange()});
    let endpoint = "POST https://auth.openai.com/oauth/token";
    for (configuration, code, words) in [
        (json!({}), "field-missing", ["`connection` is missing", ""]),
        (json!({"connection": null}), "field-missing", ["`connection` is missing", ""]),
        (json!({"conection": key()}), "field-missing", ["`connection` is missing", "`conection`"]),
        (json!({"connection": 3}), "field-type", ["`connection` has to be a connection document", ""]),
        (json!({"connection": [key()]}), "field-type", ["`connection` has to be a connection document", ""]),
        (json!({"connection": ""}), "document-empty", ["", ""]),
        (json!({"connection": {}}), "field-missing", ["`api_key` is missing", "`source`"]),
        (
            with(from_a_file(), json!({"identity_cluster": "b"})),
            "field-missing",
            ["`exchange_cluster`", endpoint],
        ),
        (
            with(from_a_file(), json!({"exchange_cluster": "a"})),
            "field-missing",
            ["`identity_cluster`", FILE],
        ),
        (
            with(from_azure(), json!({"exchange_cluster": "a"})),
            "field-missing",
            ["`identity_cluster`", "GET http://169.254.169.254/metadata/identity/oauth2/token"],
        ),
        (with(key(), json!({"exchange_cluster": " "})), "field-value", ["`exchange_cluster` is empty", ""]),
        (with(key(), json!({"identity_cluster": 1})), "field-type", ["`identity_cluster`", "a string"]),
        (with(key(), json!({"clusters": "a"})), "field-type", ["`clusters`", ""]),
        (
            with(key(), json!({"clusters": {"sts.example": 3}})),
            "field-type",
            ["`clusters.sts.example` has to be the name of a cluster", ""],
        ),
        (with(key(), json!({"clusters": {"sts.example": ""}})), "field-type", ["`clusters.sts.example`", ""]),
        (with(custom, clusters), "custom-source-missing", ["`custom`", "source `file`"]),
    ] {
        let problem = tried_as_both(&configuration).expect_err(&configuration.to_string());
        assert_eq!(problem.code, code, "{configuration}: {problem:?}");
        for words in words {
            assert!(problem.message.contains(words), "{configuration}: {problem:?}");
        }
        assert!(!problem.message.contains("CANARY"), "{problem:?}");
    }
}

/// An object says the same as a text: all that is wrong inside is the engine's to say.
#[test]
fn what_is_wrong_with_the_connection_is_said_in_the_engines_words() {
    let mut tried_so_far = 0;
    for scenario in documents::load() {
        let Ok(connection @ Value::Object(_)) = serde_json::from_str::<Value>(&scenario.document) else {
            continue;
        };
        // Of two fields of one name, the form as an object has one.
        let text = connection.to_string();
        let variables = scenario.environment.clone().into_iter().collect();
        let Err(error) = keyless_engine::Machine::open(&text, &variables) else { continue };
        let configuration =
            json!({"connection": connection, "exchange_cluster": "a", "identity_cluster": "b"}).to_string();
        let mut envoy = envoy();
        let worker = envoy.add_worker(scenario.environment.into_iter().collect());
        assert_eq!(worker.configure("plugin", configuration.as_bytes()), None, "{text}");
        let problem = refusal(&envoy);
        assert_eq!(
            (problem.code.as_str(), problem.message.as_str()),
            (error.code().as_str(), error.message())
        );
        tried_so_far += 1;
    }
    assert!(tried_so_far >= 60, "{tried_so_far}");
}

#[test]
fn what_is_doubtful_is_logged() {
    let none: [&str; 0] = [];
    let clusters = json!({"exchange_cluster": "exchange", "identity_cluster": "identity"});
    let with = |connection: Value, more: Value| {
        let mut configuration = clusters.clone();
        configuration["connection"] = connection;
        configuration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        configuration
    };
    let mut odd = from_a_file();
    odd["exchnage"] = json!({});
    for (configuration, warnings) in [
        (with(from_a_file(), json!({})), none.to_vec()),
        (json!({"connection": key()}), none.to_vec()),
        (with(from_a_file(), json!({"identity_clusters": "b"})), vec!["`identity_clusters`"]),
        (with(odd, json!({})), vec!["`exchnage`"]),
        (
            with(key(), json!({})),
            vec!["`exchange_cluster` has no effect", "`identity_cluster` has no effect"],
        ),
        (
            with(from_azure(), json!({"clusters": {"169.254.169.254": "metadata"}})),
            vec!["`identity_cluster` has no effect"],
        ),
        (
            with(from_a_file(), json!({"clusters": {"auth.openai.com": "third"}})),
            vec!["`exchange_cluster` has no effect"],
        ),
    ] {
        let log =
            tried_as_both(&configuration).unwrap_or_else(|problem| panic!("{configuration}: {problem:?}"));
        assert_eq!(log.len(), warnings.len(), "{configuration}: {log:?}");
        for (line, words) in log.iter().zip(warnings) {
            assert_eq!(line.level, WARN, "{line:?}");
            assert!(line.text.starts_with("keyless: ") && line.text.contains(words), "{line:?}");
        }
    }
}

/// By host, or host and port, before the two that are for everything else.
#[test]
fn a_request_goes_to_the_cluster_that_is_named_for_its_place() {
    for (clusters, expected) in [
        (json!({"exchange_cluster": "exchange", "identity_cluster": "identity"}), "exchange"),
        (json!({"clusters": {"auth.openai.com": "third"}, "identity_cluster": "identity"}), "third"),
        (
            json!({"clusters": {"AUTH.openai.com": "third"}, "exchange_cluster": "exchange", "identity_cluster": "identity"}),
            "third",
        ),
        (
            json!({"clusters": {"auth.openai.com:8443": "third"}, "exchange_cluster": "exchange", "identity_cluster": "identity"}),
            "exchange",
        ),
    ] {
        let scenario = scenario(&[issues("one")]);
        let mut stage = Stage::of(&scenario);
        stage.envoy.process.borrow_mut().clusters.push("third".to_owned());
        let mut configuration = clusters.clone();
        configuration["connection"] = serde_json::from_str(&scenario.document).unwrap();
        let Value::Object(map) = &configuration else { panic!("an object") };
        let worker = stage.envoy.add_worker(Vec::new());
        // As an object, and in Envoy's own form: it works all the way.
        let root = worker.configure("keyless", &structs::object(map)).expect("it is taken");
        let context = worker.request(root, agreement::request());
        stage.envoy.run(600);
        assert_eq!(stage.credential((0, context)).as_deref(), Some("Bearer one"));
        let routed = [("https://auth.openai.com/oauth/token".to_owned(), expected.to_owned())];
        assert_eq!(stage.envoy.process.borrow().routed, routed, "{clusters}");
        stage.finish();
    }
}

/// All kinds of values there are, and what comes of them.
#[test]
fn what_envoy_was_given_as_yaml_is_read_as_what_it_says() {
    let mut connection = from_a_file();
    connection["refresh_buffer_seconds"] = 1_800.into();
    connection["api"] = json!({"default_headers": {"x-team": "CANARY-team"}});
    let configuration =
        json!({"connection": connection, "exchange_cluster": "exchange", "identity_cluster": "identity"});
    let Value::Object(map) = &configuration else { panic!("an object") };
    let mut stage = Stage::of(&scenario(&[issues("one"), issues("two")]));
    let worker = stage.envoy.add_worker(Vec::new());
    let root = worker.configure("keyless", &structs::object(map)).expect("it is taken");
    // Half an hour before the end, or up to a twentieth of the life earlier.
    stage.envoy.run(1_619_000);
    assert_eq!(stage.exchanges(), 1);
    stage.envoy.run(182_000);
    assert_eq!(stage.exchanges(), 2);
    let context = stage.envoy.workers[0].request(root, agreement::request());
    assert_eq!(stage.credential((0, context)).as_deref(), Some("Bearer two"));
    assert_eq!(stage.stream((0, context)).values("x-team"), ["CANARY-team"]);
    stage.finish();
}

/// The filter has a small stack.
#[test]
fn nothing_that_is_deep_makes_it_trap() {
    let mut envoy = envoy();
    for depth in [8, 30, 31, 32, 33, 100, 120, 125, 126, 127, 128, 129, 1_000, 100_000] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            // Alone, as the connection, in an object of it, and where nobody asks for it.
            for text in [
                deep.clone(),
                format!(r#"{{"connection":{deep}}}"#),
                format!(r#"{{"connection":{{"api_key":"k","api":{deep}}}}}"#),
                format!(r#"{{"connection":{{"api_key":"k"}},"more":{deep}}}"#),
            ] {
                if let Some(root) = envoy.workers[0].configure("plugin", text.as_bytes()) {
                    envoy.workers[0].remove(root);
                }
            }
        }
        // What serde_json cannot even build: an object in an object.
        let mut bytes = Vec::new();
        for _ in 0..depth.min(1_000) {
            bytes = structs::field("a", &bytes);
        }
        assert_eq!(envoy.workers[0].configure("plugin", &bytes), None);
        let connection = structs::field("connection", &bytes);
        assert_eq!(envoy.workers[0].configure("plugin", &connection), None);
    }
}

#[test]
fn nothing_that_is_no_configuration_makes_it_trap() {
    let all = [
        json!({"connection": from_a_file(), "exchange_cluster": "a", "identity_cluster": "b"}),
        json!({"connection": from_azure(), "clusters": {"169.254.169.254": "b", "auth.openai.com": "c"}}),
        json!({"connection": key(), "more": [1.5, true, null, {"deep": [[]]}]}),
        json!({"connection": "openai://:sk-CANARY@api.openai.com/"}),
    ];
    let texts = all.iter().map(|one| one.to_string().into_bytes());
    let structs = all.iter().map(|one| structs::object(one.as_object().unwrap()));
    let seeds: Vec<_> = texts.chain(structs).collect();
    let mut envoy = envoy();
    let (mut taken, mut refused) = (0, 0);
    for (_, bytes) in every_prefix(&seeds).chain(mutations(&seeds, 8_000)) {
        match envoy.workers[0].configure("plugin", &bytes) {
            Some(root) => {
                taken += 1;
                // Of those that are taken, each works on its own.
                envoy.workers[0].remove(root);
            }
            None => {
                refused += 1;
                let problem = refusal(&envoy);
                assert!(!problem.message.is_empty(), "{}", String::from_utf8_lossy(&bytes));
            }
        }
        envoy.process.borrow_mut().log.clear();
    }
    assert!(taken > 200 && refused > 5_000, "{taken} taken, {refused} refused");
    // It still works, and has kept nothing of all that.
    let document = key().to_string();
    assert!(envoy.workers[0].configure("plugin", configuration(&document).as_bytes()).is_some());
    let pages = envoy.workers[0].pages();
    assert!(pages <= 32, "{pages} pages of memory");
}
