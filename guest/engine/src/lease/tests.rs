use super::*;

type TestLease = Lease<&'static str, &'static str>;

/// Both clocks at the same distance from the start, in seconds.
fn at(seconds: u64) -> Now {
    both(seconds * 1_000)
}

fn both(ms: u64) -> Now {
    Now { wall_ms: 1_800_000_000_000 + ms, monotonic_ms: 5_000_000 + ms }
}

fn apart(wall_seconds: u64, monotonic_seconds: u64) -> Now {
    Now { wall_ms: at(wall_seconds).wall_ms, monotonic_ms: at(monotonic_seconds).monotonic_ms }
}

/// A lease that got `lifetime` seconds at `at(0)`.
fn holding(buffer_ms: Option<u64>, lifetime: u64) -> (TestLease, Entropy) {
    let (mut lease, mut entropy) = (TestLease::new(buffer_ms), Entropy::default());
    lease.begin(at(0));
    lease.succeed(at(0), at(0), lifetime * 1_000, "one", &mut entropy);
    (lease, entropy)
}

#[test]
fn the_first_attempt_is_due_at_once_and_single() {
    let mut lease = TestLease::new(None);
    assert_eq!(lease.standing(at(0)), Standing::Pending);
    assert_eq!(lease.phase(at(0)), Phase::Idle);
    assert!(lease.due(at(0)));
    lease.begin(at(0));
    assert!(!lease.due(at(0)));
    assert_eq!(lease.phase(at(0)), Phase::Acquiring);
}

#[test]
fn an_hour_is_renewed_after_two_thirds_a_little_earlier_never_later() {
    let mut moments = Vec::new();
    for seed in 0..200_u64 {
        let (mut lease, mut entropy) = (TestLease::new(None), Entropy::default());
        entropy.stir(&seed.to_le_bytes());
        lease.begin(at(0));
        lease.succeed(at(1), at(0), 3_600_000, "one", &mut entropy);
        let wake = lease.wake_at(at(1)).unwrap() - at(0).monotonic_ms;
        assert!((2_220_000..=2_400_000).contains(&wake), "{wake}");
        assert!(!lease.due(both(wake - 1)) && lease.due(both(wake)));
        assert_eq!(lease.deadlines(), Some((at(0).wall_ms + wake, at(3_595).wall_ms)));
        moments.push(wake);
    }
    moments.sort_unstable();
    moments.dedup();
    assert!(moments.len() > 150, "renewals are spread: {}", moments.len());
}

#[test]
fn the_buffer_is_at_most_half_the_lifetime() {
    for (buffer, lifetime, earliest, latest) in [
        (None, 600, 270_000, 300_000),
        (None, 2_400, 1_080_000, 1_200_000),
        (Some(10_000_000), 3_600, 1_620_000, 1_800_000),
        (Some(60_000), 3_600, 3_360_000, 3_540_000),
        // No renewal ahead of time was asked for: then it is due when the credential ends.
        (Some(0), 3_600, 3_415_000, 3_595_000),
        (None, 1, 450, 500),
    ] {
        let (lease, _) = holding(buffer, lifetime);
        // The next attempt keeps its distance from the last one, however short the life.
        let wake = lease.wake_at(at(0)).unwrap() - at(0).monotonic_ms;
        assert!(
            (earliest.max(MIN_GAP_MS)..=latest.max(MIN_GAP_MS)).contains(&wake),
            "{buffer:?} {lifetime}: {wake}"
        );
    }
}

#[test]
fn it_ends_five_seconds_before_the_issuer_says_or_a_tenth() {
    for (lifetime, end) in [(3_600, 3_595_000), (40, 36_000), (1, 900)] {
        let (lease, _) = holding(None, lifetime);
        assert!(matches!(lease.standing(both(end - 1)), Standing::Usable(&"one")), "{lifetime}");
        assert!(!matches!(lease.standing(both(end)), Standing::Usable(_)), "{lifetime}");
    }
}

#[test]
fn life_is_counted_from_before_the_request() {
    let (mut lease, mut entropy) = (TestLease::new(None), Entropy::default());
    lease.begin(at(0));
    lease.succeed(at(20), at(10), 100_000, "slow", &mut entropy);
    assert!(matches!(lease.standing(both(104_999)), Standing::Usable(_)));
    assert_eq!(lease.standing(at(105)), Standing::Pending);
}

#[test]
fn either_clock_ends_it() {
    let (lease, _) = holding(None, 3_600);
    assert!(matches!(lease.standing(at(3_594)), Standing::Usable(_)));
    assert_eq!(lease.standing(apart(3_595, 10)), Standing::Pending, "suspended: only the wall clock went on");
    assert_eq!(lease.standing(apart(0, 3_595)), Standing::Pending, "stepped back: the monotonic bound holds");
}

#[test]
fn clocks_that_part_make_a_renewal_due_without_hiding_the_credential() {
    let (lease, _) = holding(None, 3_600);
    assert!(!lease.due(apart(102, 100)), "two seconds are a leap second and some slewing");
    for moment in [apart(110, 100), apart(90, 100)] {
        assert!(lease.due(moment));
        assert!(matches!(lease.standing(moment), Standing::Usable(_)));
        assert_eq!(lease.wake_at(moment), Some(moment.monotonic_ms));
    }
    assert!(!lease.due(apart(2_002, 2_000)));
}

#[test]
fn a_failed_renewal_never_hides_a_valid_credential() {
    let (mut lease, mut entropy) = holding(None, 3_600);
    let mut moment = at(2_400);
    let mut attempts = 0;
    while lease.usable(moment).is_some() {
        if lease.due(moment) {
            lease.begin(moment);
            assert_eq!(lease.phase(moment), Phase::Renewing);
            assert!(matches!(lease.standing(moment), Standing::Usable(&"one")));
            lease.fail(moment, "503", Pace::Backoff, &mut entropy);
            assert_eq!(lease.phase(moment), Phase::Waiting);
            assert!(matches!(lease.standing(moment), Standing::Usable(&"one")));
            attempts += 1;
        }
        moment = both(moment.monotonic_ms - at(0).monotonic_ms + 100);
    }
    assert_eq!(moment, at(3_595));
    assert!((5..60).contains(&attempts), "{attempts} attempts in twenty minutes");
    assert_eq!(lease.counters().failures_in_a_row, attempts);
}

#[test]
fn back_off_grows_and_keeps_its_distance() {
    let (mut lease, mut entropy) = (TestLease::new(None), Entropy::default());
    let mut now = at(0);
    let mut longest = 0;
    for _ in 0..200 {
        assert!(lease.due(now));
        lease.begin(now);
        lease.fail(now, "503", Pace::Backoff, &mut entropy);
        let wait = lease.held_back_ms(now);
        assert!((MIN_GAP_MS..=300_000).contains(&wait), "{wait}");
        let Standing::Failed(Some(&"503"), told) = lease.standing(now) else {
            panic!("waiting after failure")
        };
        assert_eq!(told, wait);
        assert_eq!(lease.phase(now), Phase::Failed);
        longest = longest.max(wait);
        now = Now { wall_ms: now.wall_ms + wait, monotonic_ms: now.monotonic_ms + wait };
        assert_eq!(lease.standing(now), Standing::Pending, "no terminal state");
    }
    assert!(longest > 240_000, "{longest}");
}

#[test]
fn the_first_retry_comes_within_two_seconds() {
    for seed in 0..50_u64 {
        let (mut lease, mut entropy) = (TestLease::new(None), Entropy::default());
        entropy.stir(&seed.to_le_bytes());
        lease.begin(at(0));
        lease.fail(at(0), "503", Pace::Backoff, &mut entropy);
        assert!(lease.held_back_ms(at(0)) <= 2_000);
    }
}

#[test]
fn retry_after_wins_but_the_credential_gets_a_last_chance() {
    let (mut lease, mut entropy) = holding(None, 3_600);
    lease.begin(at(2_400));
    lease.fail(at(2_400), "429", Pace::After(120_000), &mut entropy);
    assert!((120_000..=132_000).contains(&lease.held_back_ms(at(2_400))));
    lease.begin(at(2_600));
    lease.fail(at(2_600), "429", Pace::After(u64::MAX), &mut entropy);
    assert_eq!(lease.held_back_ms(at(2_600)), 965_000, "thirty seconds before its end");
    let mut cold = TestLease::new(None);
    cold.begin(at(0));
    cold.fail(at(0), "429", Pace::After(u64::MAX), &mut entropy);
    assert!((3_600_000..=3_960_000).contains(&cold.held_back_ms(at(0))), "an hour, whoever asks for more");
}

#[test]
fn a_refusal_is_asked_again_slowly() {
    let (mut lease, mut entropy) = (TestLease::new(None), Entropy::default());
    for _ in 0..50 {
        lease.begin(at(0));
        lease.fail(at(0), "invalid_grant", Pace::Slow, &mut entropy);
        assert!((60_000..=300_000).contains(&lease.held_back_ms(at(0))));
    }
}

#[test]
fn a_rejected_credential_forces_one_renewal_in_thirty_seconds() {
    let (mut lease, mut entropy) = holding(None, 3_600);
    lease.reject(at(10), 7);
    assert!(!lease.due(at(10)), "not the generation held");
    lease.reject(at(10), 1);
    assert_eq!(lease.standing(at(10)), Standing::Pending);
    lease.begin(at(10));
    assert_eq!(lease.standing(at(10)), Standing::Pending, "whoever asks now waits for the new one");
    lease.succeed(at(11), at(10), 3_600_000, "two", &mut entropy);
    assert!(matches!(lease.standing(at(11)), Standing::Usable(&"two")));
    lease.reject(at(12), 1);
    assert!(matches!(lease.standing(at(12)), Standing::Usable(&"two")), "a late 401 of the old one");
    lease.reject(at(39), 2);
    assert!(matches!(lease.standing(at(39)), Standing::Usable(&"two")), "too soon after the last");
    lease.reject(at(40), 2);
    assert_eq!(lease.standing(at(40)), Standing::Pending);
}

#[test]
fn one_that_is_rejected_at_once_is_not_handed_out_again() {
    let (mut lease, mut entropy) = holding(None, 3_600);
    lease.reject(both(10), 1);
    assert!(!lease.due(both(10)), "there is a second between two attempts");
    assert_eq!(lease.standing(both(10)), Standing::Pending);
    assert_eq!(lease.wake_at(both(10)), Some(both(MIN_GAP_MS).monotonic_ms));
    assert!(lease.due(both(MIN_GAP_MS)));
    // Nor is anybody kept waiting for the end of a long back-off.
    lease.begin(at(2_400));
    lease.fail(at(2_400), "503", Pace::After(120_000), &mut entropy);
    lease.reject(at(2_401), 1);
    assert!(matches!(lease.standing(at(2_401)), Standing::Usable(&"one")));
}

#[test]
fn a_forced_renewal_that_fails_leaves_the_credential_in_use() {
    let (mut lease, mut entropy) = holding(None, 3_600);
    lease.reject(at(10), 1);
    lease.begin(at(10));
    lease.fail(at(11), "503", Pace::Backoff, &mut entropy);
    assert!(matches!(lease.standing(at(11)), Standing::Usable(&"one")));
    assert_eq!(lease.phase(at(11)), Phase::Waiting);
}

#[test]
fn a_static_key_needs_nothing() {
    let mut lease = TestLease::fixed("key");
    lease.reject(at(0), 1);
    for moment in [at(0), at(1_000_000_000), apart(0, 1_000_000)] {
        assert!(matches!(lease.standing(moment), Standing::Usable(&"key")));
        assert!(!lease.due(moment));
        assert_eq!((lease.wake_at(moment), lease.deadlines()), (None, None));
        assert_eq!(lease.phase(moment), Phase::Fresh);
    }
}

#[test]
fn endless_lives_are_cut_to_a_day_and_no_arithmetic_overflows() {
    let (mut lease, mut entropy) = (TestLease::new(Some(u64::MAX)), Entropy::default());
    let end = Now { wall_ms: u64::MAX, monotonic_ms: u64::MAX };
    lease.begin(end);
    lease.succeed(end, end, u64::MAX, "one", &mut entropy);
    assert!(matches!(lease.standing(end), Standing::Usable(_)));
    assert_eq!(lease.wake_at(end), Some(u64::MAX));
    lease.begin(end);
    lease.fail(end, "x", Pace::After(u64::MAX), &mut entropy);
    assert!(matches!(lease.standing(Now::default()), Standing::Usable(_)), "clocks before the start");
    let (lease, _) = holding(None, 10_000_000);
    assert_eq!(lease.deadlines().map(|(_, end)| end), Some(at(86_395).wall_ms));
}
