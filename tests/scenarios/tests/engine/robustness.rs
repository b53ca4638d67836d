//! Nothing that comes in may make the engine panic: every prefix of good documents, answers and tokens, and many seeded
//! mutations of them. What is broken must be an error or a good result, and no error may show a secret.

use keyless_engine::io::{Effect, Now, Response};
use keyless_engine::{Answered, Event, Machine, Variables};

use keyless_scenarios::canary::MARK;
use keyless_scenarios::mutation::{Dice, every_prefix, mutations};
use keyless_scenarios::scenario::Scenario;
use keyless_scenarios::scenario::traffic::Response as Scripted;
use keyless_scenarios::tables::{answers, cases, documents, tokens};

/// In each of the three tests.
const MUTATIONS: usize = 20_000;

const DOCUMENT: &str = r#"{"source":{"type":"file","token_file_path":"t"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"svc_acct_1"}}"#;

const NOW: Now = Now { wall_ms: 1_800_000_000_000, monotonic_ms: 5_000_000 };

#[test]
fn no_document_makes_it_panic() {
    let good: Vec<_> = cases::load()
        .into_iter()
        .chain(documents::load())
        .map(|Scenario { document, environment, .. }| (document, environment))
        .filter(|(document, _)| document.len() < 4_096)
        .collect();
    let seeds: Vec<_> = good.iter().map(|(document, _)| document.as_bytes().to_vec()).collect();
    let read = |(of, bytes): (usize, Vec<u8>)| {
        let text = String::from_utf8_lossy(&bytes);
        let variables = || good[of].1.clone().into_iter().collect::<Variables>();
        let variables_of = keyless_engine::variables(&text);
        let plan = keyless_engine::plan(&text, &variables());
        let open = Machine::open(&text, &variables());
        // One parser: what can be planned can be opened.
        assert_eq!(plan.is_ok(), open.is_ok(), "{text}");
        [variables_of.err(), plan.err(), open.err()].into_iter().flatten().collect::<Vec<_>>()
    };
    for error in every_prefix(&seeds).flat_map(read) {
        one_line(&error);
        secretive(&error);
    }
    // A mutation can make a name out of a secret, and names are shown.
    for error in mutations(&seeds, MUTATIONS).flat_map(read) {
        one_line(&error);
    }
}

#[test]
fn no_answer_makes_it_panic() {
    let seeds: Vec<(Scripted, Vec<u8>)> = answers::load()
        .into_iter()
        .filter_map(|mut scenario| scenario.traffic.pop()?.response)
        .map(|response| {
            let body = match (&response.json, &response.text) {
                (Some(json), _) => json.compact().into_bytes(),
                (_, Some(text)) => text.text().into_bytes(),
                _ => Vec::new(),
            };
            (response, body)
        })
        .filter(|(_, body)| body.len() < 4_096)
        .collect();
    let bodies: Vec<_> = seeds.iter().map(|(_, body)| body.clone()).collect();
    let token = keyless_scenarios::scenario::tokens::token(r#"{"sub":"x","exp":1900000000}"#).into_bytes();
    let mut dice = Dice(7);
    for (of, body) in every_prefix(&bodies).chain(mutations(&bodies, MUTATIONS)) {
        let (response, _) = &seeds[of];
        let headers =
            response.headers.iter().map(|(name, value)| (name.clone(), dice.maybe_mutated(value))).collect();
        let status =
            if dice.below(4) == 0 { u16::try_from(dice.below(1_000)).unwrap() } else { response.status };
        exchange(&token, Some(Response { status, headers, body: body.into() }));
    }
}

#[test]
fn no_token_makes_it_panic() {
    let seeds: Vec<_> = tokens::load()
        .into_iter()
        .filter_map(|mut scenario| scenario.files.pop_first())
        .map(|(_, content)| content)
        .filter(|content| content.len() < 4_096)
        .collect();
    for (_, content) in every_prefix(&seeds).chain(mutations(&seeds, MUTATIONS)) {
        exchange(&content, None);
    }
}

/// One attempt with that token and, where it gets so far, that answer.
fn exchange(token: &[u8], response: Option<Response>) {
    let mut machine = Machine::open(DOCUMENT, &Variables::default()).unwrap();
    let (mut now, mut response) = (NOW, response);
    let mut effects = machine.step(now, Event::Tick);
    loop {
        let event = match effects.pop() {
            Some(Effect::ReadFile { id, .. }) => Event::File(id, Ok(token.to_vec().into())),
            Some(Effect::Send { id, .. }) => match response.take() {
                Some(response) => Event::Response(id, Ok(response)),
                None => return,
            },
            // The document has another source.
            Some(Effect::AskSource { .. } | Effect::Cancel { .. }) => continue,
            None => match machine.credential(now) {
                // The pause before another reading.
                Answered::Pending => {
                    let wake = machine.wake_at(now).expect("it waits for something");
                    now = Now { wall_ms: now.wall_ms + wake - now.monotonic_ms, monotonic_ms: wake };
                    Event::Tick
                }
                Answered::Ready(credential) => {
                    let (name, value) = &credential.headers[0];
                    assert_eq!(name, "authorization");
                    let token = value.expose().strip_prefix("Bearer ").expect("a bearer token");
                    assert!(
                        !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()),
                        "{token:?}"
                    );
                    assert!(credential.expires_at.is_some_and(|end| end > now.wall_ms));
                    return;
                }
                Answered::Failed(error) => {
                    one_line(&error);
                    return secretive(&error);
                }
            },
        };
        effects.extend(machine.step(now, event));
    }
}

/// An error is for people and for logs.
fn one_line(error: &keyless_engine::Error) {
    let message = error.message();
    assert!(!message.is_empty() && !message.contains(char::is_control), "{message:?}");
}

fn secretive(error: &keyless_engine::Error) {
    assert!(!error.message().contains(MARK), "{error}");
}
