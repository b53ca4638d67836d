//! Several plugins in one VM, as Envoy has them where their `vm_id` is one.

use keyless_scenarios::json::Json;
use keyless_scenarios::scenario::Scenario;
use keyless_scenarios::scenario::traffic::RequestOrSame;

use super::agreement;
use super::host::{configuration, refusal};
use super::stage::{Stage, issues, scenario};
use super::streams::Fate;

/// Two connections that differ in the account, and get a token each.
struct Two {
    stage: Stage,
    ones: String,
    twos: String,
}

impl Two {
    fn new() -> Self {
        let Scenario { document, traffic, .. } = scenario(&[issues("one"), issues("two")]);
        let mut both = scenario(&[issues("one"), issues("two")]);
        both.traffic[1].request = of_the_other_account(&traffic[0].request);
        let mut stage = Stage::of(&both);
        stage.envoy.add_worker(Vec::new());
        let twos = document.replace("svc_acct_1", "svc_acct_2");
        assert_ne!(document, twos);
        Self { stage, ones: configuration(&document), twos: configuration(&twos) }
    }

    fn configure(&mut self, name: &str, configuration: &str) -> Option<u32> {
        self.stage.envoy.workers[0].configure(name, configuration.as_bytes())
    }

    /// What a request to that plugin goes on with. None: it waits.
    fn credential(&mut self, root: u32) -> Option<String> {
        let worker = &mut self.stage.envoy.workers[0];
        let context = worker.request(root, agreement::request());
        let stream = worker.stream(context);
        matches!(stream.fate, Fate::Forwarded).then(|| agreement::credential(stream))
    }
}

fn of_the_other_account(request: &RequestOrSame) -> RequestOrSame {
    let RequestOrSame::Request(request) = request else { panic!("a request") };
    let mut request = request.clone();
    let body = request.json.as_ref().map(Json::compact).expect("a body");
    request.json = Some(serde_json::from_str(&body.replace("svc_acct_1", "svc_acct_2")).unwrap());
    RequestOrSame::Request(request)
}

#[test]
fn each_name_has_a_credential_of_its_own() {
    let mut two = Two::new();
    let (ones, twos) = (two.ones.clone(), two.twos.clone());
    let first = two.configure("first", &ones).unwrap();
    let second = two.configure("second", &twos).unwrap();
    // Those that wait get what they came for, and so do those that follow.
    let waiting: Vec<_> = [first, second, first]
        .into_iter()
        .map(|root| two.stage.envoy.workers[0].request(root, agreement::request()))
        .collect();
    two.stage.envoy.run(600);
    let of = |context: &u32| agreement::credential(two.stage.envoy.workers[0].stream(*context));
    assert_eq!(waiting.iter().map(of).collect::<Vec<_>>(), ["Bearer one", "Bearer two", "Bearer one"]);
    assert_eq!(two.credential(second).as_deref(), Some("Bearer two"));
    assert_eq!(two.credential(first).as_deref(), Some("Bearer one"));
    // One that goes takes nothing along.
    two.stage.envoy.workers[0].remove(first);
    two.stage.envoy.run(2_000);
    assert_eq!(two.credential(second).as_deref(), Some("Bearer two"));
    two.stage.finish();
}

#[test]
fn a_401_is_for_the_plugin_whose_request_it_was() {
    let mut two = Two::new();
    let (ones, twos) = (two.ones.clone(), two.twos.clone());
    let first = two.configure("first", &ones).unwrap();
    let second = two.configure("second", &twos).unwrap();
    two.stage.envoy.run(1_600);
    let worker = &mut two.stage.envoy.workers[0];
    let refused = worker.request(second, agreement::request());
    worker.respond(refused, 401);
    assert_eq!(two.credential(first).as_deref(), Some("Bearer one"));
    assert_eq!(two.credential(second), None);
    let metrics = |name: &str| two.stage.envoy.process.borrow().metrics.value(name);
    assert_eq!(metrics("keyless.first.rejections"), 0);
    assert_eq!(metrics("keyless.second.rejections"), 1);
}

#[test]
fn one_name_is_for_one_api() {
    let mut two = Two::new();
    let (ones, twos) = (two.ones.clone(), two.twos.clone());
    two.configure("plugin", &ones).unwrap();
    let elsewhere = r#"{"api_key": "sk-CANARY", "api": {"base_url": "https://elsewhere.example/v1"}}"#;
    assert_eq!(two.configure("plugin", &configuration(elsewhere)), None);
    let problem = refusal(&two.stage.envoy);
    assert_eq!(problem.code, "field-conflict");
    for part in ["`name`", "https://api.openai.com/v1", "https://elsewhere.example/v1"] {
        assert!(problem.message.contains(part), "{}", problem.message);
    }
    // With another name it may be.
    two.configure("another", &configuration(elsewhere)).unwrap();
    two.configure("plugin", &twos).unwrap();
}

#[test]
fn a_newer_configuration_of_a_plugin_counts_for_all_its_requests() {
    let mut two = Two::new();
    let (ones, twos) = (two.ones.clone(), two.twos.clone());
    let old = two.configure("plugin", &ones).unwrap();
    let new = two.configure("plugin", &twos).unwrap();
    two.stage.envoy.run(600);
    // Requests of both cannot be told apart, while those of the older one come to their end.
    assert_eq!(two.credential(new).as_deref(), Some("Bearer two"));
    assert_eq!(two.credential(old).as_deref(), Some("Bearer two"));
    two.stage.envoy.workers[0].remove(new);
    two.stage.envoy.run(2_000);
    assert_eq!(two.credential(old).as_deref(), Some("Bearer one"));
    two.stage.finish();
}

/// What the API refuses of before says nothing of the credential that the newer one has.
#[test]
fn a_401_to_a_request_of_before_is_not_for_the_newer_configuration() {
    let mut two = Two::new();
    let (ones, twos) = (two.ones.clone(), two.twos.clone());
    let old = two.configure("plugin", &ones).unwrap();
    two.stage.envoy.run(600);
    let before = two.stage.envoy.workers[0].request(old, agreement::request());
    let new = two.configure("plugin", &twos).unwrap();
    two.stage.envoy.run(1_600);
    two.stage.envoy.workers[0].respond(before, 401);
    assert_eq!(two.credential(new).as_deref(), Some("Bearer two"));
    two.stage.finish();
}

/// Envoy gives an unchanged plugin a new context with each change of its listener.
#[test]
fn the_same_configuration_again_is_the_same_credential() {
    let mut two = Two::new();
    let ones = two.ones.clone();
    let before = two.configure("plugin", &ones).unwrap();
    two.stage.envoy.run(600);
    let after = two.configure("plugin", &ones).unwrap();
    assert_eq!(two.credential(after).as_deref(), Some("Bearer one"));
    two.stage.envoy.workers[0].remove(before);
    assert_eq!(two.credential(after).as_deref(), Some("Bearer one"));
    two.stage.envoy.run(2_000);
    assert_eq!(two.credential(after).as_deref(), Some("Bearer one"));
    assert_eq!(two.stage.exchanges(), 1);
}

#[test]
fn requests_that_come_before_any_configuration_go_nowhere() {
    let mut two = Two::new();
    assert_eq!(two.configure("plugin", "{}"), None);
    // Envoy does not send them there. If it did:
    let worker = &mut two.stage.envoy.workers[0];
    let root = worker.bare("plugin");
    let context = worker.request(root, agreement::request());
    let Fate::Answered(reply) = &worker.stream(context).fate else { panic!("no answer") };
    assert_eq!(agreement::told(reply).0, "not-yet");
}

#[test]
fn a_request_never_goes_to_a_plugin_that_is_gone() {
    let mut two = Two::new();
    let ones = two.ones.clone();
    let before = two.configure("plugin", &ones).unwrap();
    let after = two.configure("plugin", &ones).unwrap();
    two.stage.envoy.workers[0].remove(before);
    assert_is_let_go_or_answered(&mut two, after, None);
}

#[test]
fn a_request_is_not_forgotten_with_the_plugin_that_held_it_back() {
    // Two that are alike, and two of one name.
    for newer in [Two::new().ones, Two::new().twos] {
        for oldest_goes in [true, false] {
            let mut two = Two::new();
            let ones = two.ones.clone();
            let old = two.configure("plugin", &ones).unwrap();
            let new = two.configure("plugin", &newer).unwrap();
            let (stays, goes) = if oldest_goes { (new, old) } else { (old, new) };
            assert_is_let_go_or_answered(&mut two, stays, Some(goes));
        }
    }
}

/// Within the time that requests wait at most, although a plugin goes meanwhile.
fn assert_is_let_go_or_answered(two: &mut Two, root: u32, goes: Option<u32>) {
    let worker = &mut two.stage.envoy.workers[0];
    let context = worker.request(root, agreement::request());
    if let Some(goes) = goes {
        worker.remove(goes);
    }
    two.stage.envoy.run(15_000);
    let fate = &two.stage.envoy.workers[0].stream(context).fate;
    assert!(matches!(fate, Fate::Forwarded | Fate::Answered(_)), "it waits for ever");
}
