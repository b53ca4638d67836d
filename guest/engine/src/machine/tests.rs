use super::*;

const DOCUMENT: &str = r#"{"source":{"type":"file","token_file_path":"/t"},"exchange":{"identity_provider_id":"idp_1","service_account_id":"s"}}"#;

fn open() -> Machine {
    Machine::open(DOCUMENT, &Variables::default()).unwrap()
}

fn at(ms: u64) -> Now {
    Now { wall_ms: 1_800_000_000_000 + ms, monotonic_ms: ms }
}

fn read_effect(effects: &[Effect]) -> u64 {
    match effects {
        [Effect::ReadFile { id, path, .. }] if path == "/t" => *id,
        _ => panic!("the token file is read first, and nothing else is done"),
    }
}

#[test]
fn a_host_that_never_answers_is_given_up_and_asked_again() {
    let mut machine = open();
    let id = read_effect(&machine.step(at(0), Event::Tick));
    assert!(matches!(machine.credential(at(0)), Answered::Pending));
    assert_eq!(machine.wake_at(at(0)), Some(ATTEMPT_TIMEOUT_MS));
    assert!(machine.step(at(ATTEMPT_TIMEOUT_MS - 1), Event::Tick).is_empty());

    let effects = machine.step(at(ATTEMPT_TIMEOUT_MS), Event::Tick);
    assert!(matches!(effects.as_slice(), [Effect::Cancel { id: cancelled }] if *cancelled == id));
    let Answered::Failed(error) = machine.credential(at(ATTEMPT_TIMEOUT_MS)) else {
        panic!("it was given up")
    };
    assert_eq!(error.code(), Code::AttemptTimeout);

    let again = machine.wake_at(at(ATTEMPT_TIMEOUT_MS)).unwrap();
    assert_ne!(read_effect(&machine.step(at(again), Event::Tick)), id);
}

#[test]
fn answers_that_nobody_waits_for_are_dropped() {
    let mut machine = open();
    let id = read_effect(&machine.step(at(0), Event::Tick));
    for stray in [id + 1, u64::MAX, 0] {
        assert!(machine.step(at(1), Event::File(stray, Err(FileFault::Missing))).is_empty());
        assert!(machine.step(at(1), Event::Response(stray, Err(SendFault::Broken))).is_empty());
    }
    // An answer of the wrong kind is a failure of that step, not of the machine.
    assert!(machine.step(at(2), Event::Response(id, Err(SendFault::Broken))).is_empty());
    assert!(
        matches!(machine.credential(at(2)), Answered::Failed(error) if error.code() == Code::TokenFileUnreadable)
    );
    // And one that comes twice finds nobody.
    assert!(machine.step(at(3), Event::File(id, Err(FileFault::Missing))).is_empty());
}

#[test]
fn an_attempt_under_way_says_so_instead_of_never() {
    let mut machine = open();
    machine.step(at(5), Event::Tick);
    assert!(machine.busy());
    assert_eq!(machine.status(at(7)).next_attempt_at, Some(at(5).wall_ms));
}
