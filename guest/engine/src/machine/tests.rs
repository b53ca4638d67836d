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

/// The first step of the exchange, answered with a token of an hour.
fn holding(token: &str) -> Machine {
    let mut machine = open();
    exchange(&mut machine, at(0), token);
    machine
}

fn exchange(machine: &mut Machine, now: Now, token: &str) {
    // Nobody looks at a signature here: only the far end could.
    let subject = "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjQwMDAwMDAwMDB9.c2ln".to_owned();
    let file = read_effect(&machine.step(now, Event::Tick));
    let effects = machine.step(now, Event::File(file, Ok(subject.into_bytes().into())));
    let [Effect::Send { id, .. }] = effects.as_slice() else { panic!("the token is traded") };
    let body = format!(
        r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600,"issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}}"#
    );
    let answer = Response { status: 200, headers: Vec::new(), body: body.into_bytes().into() };
    assert!(machine.step(now, Event::Response(*id, Ok(answer))).is_empty());
    assert_eq!(authorization(machine, now), format!("Bearer {token}"));
}

fn authorization(machine: &Machine, now: Now) -> String {
    match machine.credential(now) {
        Answered::Ready(credential) => credential.headers[0].1.expose().to_owned(),
        Answered::Pending => panic!("nothing is under way"),
        Answered::Failed(error) => panic!("{error}"),
    }
}

/// Everything that can be seen of it, at many moments.
fn seen(machine: &Machine) -> Vec<String> {
    let moments = [0, 1, 999, 1_000, 5_000, 400_000, 1_800_000, 3_594_999, 3_595_000, 4_000_000];
    let seen = |ms: u64| {
        let now = at(ms);
        let credential = match machine.credential(now) {
            Answered::Ready(credential) => {
                format!("{} {:?} {:?}", credential.generation, credential.renew_at, credential.expires_at)
            }
            Answered::Pending => "pending".to_owned(),
            Answered::Failed(error) => format!("{error} {:?}", error.retry_after_ms()),
        };
        let status = machine.status(now);
        let told =
            (status.phase, status.counters, status.next_attempt_at, status.last_error, status.warnings);
        format!("{ms}: {credential} {told:?} {} {:?}", machine.due(now), machine.wake_at(now))
    };
    moments.map(seen).into()
}

#[test]
fn a_successor_goes_on_where_another_was() {
    let fresh = holding("one");
    let mut failed = open();
    let id = read_effect(&failed.step(at(0), Event::Tick));
    failed.step(at(500), Event::File(id, Err(FileFault::Denied)));
    let mut rejected = holding("one");
    rejected.reject(at(700), 1);
    let mut empty = open();
    for machine in [fresh, failed, rejected, open()] {
        let mut successor = open();
        assert!(successor.adopt(&machine.carry()));
        assert_eq!(seen(&successor), seen(&machine));
        // And back: what one held before is gone.
        assert!(empty.adopt(&machine.carry()));
        assert_eq!(seen(&empty), seen(&machine));
    }
}

#[test]
fn a_rejection_and_its_pace_are_handed_over() {
    let mut first = holding("one");
    first.reject(at(2_000), 1);
    assert!(first.due(at(2_000)));
    exchange(&mut first, at(2_000), "two");
    let mut second = open();
    assert!(second.adopt(&first.carry()));
    second.reject(at(20_000), 2);
    assert!(!second.due(at(20_000)), "within thirty seconds of the last one that counted");
    second.reject(at(32_000), 1);
    assert!(!second.due(at(32_000)), "of another generation");
    second.reject(at(32_000), 2);
    assert!(second.due(at(32_000)));
}

#[test]
fn whoever_adopts_gives_an_attempt_of_its_own_up() {
    let (other, mut machine) = (holding("one"), open());
    let id = read_effect(&machine.step(at(0), Event::Tick));
    assert!(machine.adopt(&other.carry()));
    assert!(!machine.busy());
    let effects = machine.step(at(1), Event::Tick);
    assert!(matches!(effects.as_slice(), [Effect::Cancel { id: cancelled }] if *cancelled == id));
    assert_eq!(authorization(&machine, at(1)), "Bearer one");
}

#[test]
fn what_was_not_carried_is_not_adopted() {
    let carried = holding("one").carry();
    let mut machine = holding("two");
    let before = seen(&machine);
    for cut in 0..carried.len() {
        assert!(!machine.adopt(&carried[..cut]), "cut off at {cut}");
    }
    let mut longer = carried.to_vec();
    longer.push(0);
    let mut of_another_version = carried.to_vec();
    of_another_version[0] = 1;
    for bytes in [&longer, &of_another_version, &vec![1; 64], &vec![0xff; 64]] {
        assert!(!machine.adopt(bytes));
    }
    assert_eq!(seen(&machine), before);
    let mut key = Machine::open(r#"{"api_key": "sk-1"}"#, &Variables::default()).unwrap();
    assert!(!key.adopt(&carried), "a key is nobody's to hand over");
}
