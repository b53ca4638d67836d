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

/// When the renewals of an hour, of many seeds, become due: milliseconds after each was asked for.
fn moments(buffer_ms: Option<u64>, mut before: impl FnMut(&mut TestLease, &mut Entropy)) -> Vec<u64> {
    let mut moments: Vec<_> = (0..500_u64)
        .map(|seed| {
            let (mut lease, mut entropy) = (TestLease::new(buffer_ms), Entropy::default());
            entropy.stir(&seed.to_le_bytes());
            before(&mut lease, &mut entropy);
            lease.begin(at(10_000));
            lease.succeed(at(10_001), at(10_000), 3_600_000, "one", &mut entropy);
            let due = lease.wake_at(at(10_001)).unwrap() - at(10_000).monotonic_ms;
            assert!(!lease.due(both(10_000_000 + due - 1)) && lease.due(both(10_000_000 + due)));
            assert_eq!(lease.deadlines(), Some((at(10_000).wall_ms + due, at(13_595).wall_ms)));
            due
        })
        .collect();
    moments.sort_unstable();
    moments
}

/// They fill the range evenly: each tenth of it holds its share.
#[track_caller]
fn assert_spread(moments: &[u64], from: u64, to: u64) {
    assert!(moments[0] >= from && moments[moments.len() - 1] <= to, "{from} {to} {moments:?}");
    let tenth = (to - from) / 10;
    for i in 0..10 {
        let (low, high) = (from + i * tenth, from + (i + 1) * tenth);
        let share = moments.iter().filter(|at| (low..high).contains(*at)).count();
        assert!((20..=85).contains(&share), "{share} of {} in {low}..{high}", moments.len());
    }
}

/// An hour that began at `at(8_000)`, for [`moments`].
fn first(lease: &mut TestLease, entropy: &mut Entropy) {
    lease.begin(at(8_000));
    lease.succeed(at(8_000), at(8_000), 3_600_000, "zero", entropy);
}

/// So that half of the hour, the last try thirty seconds before the end and the margin of five seconds are left.
const LATEST: u64 = 1_765_000;

#[test]
fn the_first_renewal_is_spread_wide() {
    assert_spread(&moments(None, |_, _| {}), 360_000, LATEST);
}

#[test]
fn a_renewal_in_its_turn_comes_shortly_before_half_of_the_life() {
    assert_spread(&moments(None, first), 1_440_000, LATEST);
}

#[test]
fn what_happened_to_a_whole_fleet_spreads_it_anew() {
    let rejected = |lease: &mut TestLease, entropy: &mut Entropy| {
        first(lease, entropy);
        lease.reject(at(9_000), 1);
    };
    assert_spread(&moments(None, rejected), 360_000, LATEST);
    let failed = |lease: &mut TestLease, entropy: &mut Entropy| {
        first(lease, entropy);
        lease.begin(at(9_990));
        lease.fail(at(9_990), "503", Pace::Backoff, entropy);
    };
    assert_spread(&moments(None, failed), 360_000, LATEST);
    let slept = |lease: &mut TestLease, entropy: &mut Entropy| {
        lease.begin(apart(9_000, 9_990));
        lease.succeed(apart(9_000, 9_990), apart(9_000, 9_990), 3_600_000, "zero", entropy);
    };
    assert_spread(&moments(None, slept), 360_000, LATEST);
}

#[test]
fn a_buffer_decides_the_moment_a_little_earlier_never_later() {
    for before in [|_: &mut TestLease, _: &mut Entropy| {}, first] {
        assert_spread(&moments(Some(1_200_000), before), 2_220_000, 2_400_000);
    }
}

#[test]
fn the_buffer_is_at_most_half_the_lifetime() {
    for (buffer, lifetime, earliest, latest) in [
        (600_000, 600, 270_000, 300_000),
        (1_200_000, 2_400, 1_080_000, 1_200_000),
        (10_000_000, 3_600, 1_620_000, 1_800_000),
        (60_000, 3_600, 3_360_000, 3_540_000),
        // No renewal ahead of time was asked for: then it is due when the credential ends.
        (0, 3_600, 3_415_000, 3_595_000),
        (60_000, 1, 450, 500),
    ] {
        let (lease, _) = holding(Some(buffer), lifetime);
        // The next attempt keeps its distance from the last one, however short the life.
        let wake = lease.wake_at(at(0)).unwrap() - at(0).monotonic_ms;
        assert!(
            (earliest.max(MIN_GAP_MS)..=latest.max(MIN_GAP_MS)).contains(&wake),
            "{buffer:?} {lifetime}: {wake}"
        );
    }
}

#[test]
fn a_short_life_is_renewed_a_minute_after_the_exchange_or_at_two_fifths() {
    for (lifetime, earliest, latest) in
        [(600, 60_000, 270_000), (300, 60_000, 135_000), (60, 24_000, 27_000), (1, 1_000, 1_000)]
    {
        let due: Vec<_> = (0..100_u64)
            .map(|seed| {
                let (mut lease, mut entropy) = (TestLease::new(None), Entropy::default());
                entropy.stir(&seed.to_le_bytes());
                lease.begin(at(0));
                lease.succeed(at(0), at(0), lifetime * 1_000, "one", &mut entropy);
                lease.wake_at(at(0)).unwrap() - at(0).monotonic_ms
            })
            .collect();
        let (least, most) = (due.iter().min().unwrap(), due.iter().max().unwrap());
        assert!(*least >= earliest && *most <= latest, "{lifetime}: {least} {most}");
        assert!(lifetime == 1 || most - least > (latest - earliest) / 2, "{lifetime}: {least} {most}");
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
    let (lease, _) = holding(Some(0), 3_600);
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
    assert!((15..80).contains(&attempts), "{attempts} attempts in twenty minutes");
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
fn the_pause_grows_fourfold_while_there_is_time_and_twofold_while_there_is_none() {
    let longest = |held: bool, failures: u64| {
        let pauses = (0..200_u64).map(|seed| {
            let (mut lease, mut entropy) =
                if held { holding(None, 3_600) } else { (TestLease::new(None), Entropy::default()) };
            entropy.stir(&seed.to_le_bytes());
            for _ in 0..failures {
                lease.begin(at(1_800));
                lease.fail(at(1_800), "503", Pace::Backoff, &mut entropy);
            }
            lease.held_back_ms(at(1_800))
        });
        pauses.max().unwrap()
    };
    for (held, failures, most) in [
        (true, 1, 2_000),
        (true, 2, 8_000),
        (true, 3, 32_000),
        (true, 9, 300_000),
        (false, 1, 2_000),
        (false, 2, 4_000),
        (false, 3, 8_000),
        (false, 9, 300_000),
    ] {
        let longest = longest(held, failures);
        assert!((most * 9 / 10..=most).contains(&longest), "{held} {failures}: {longest}");
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
fn the_last_moments_begin_with_an_attempt_and_then_hurry() {
    for seed in 0..200_u64 {
        let (mut lease, mut entropy) = holding(None, 3_600);
        entropy.stir(&seed.to_le_bytes());
        // Many failures before, so that the back-off is as long as it can be.
        for _ in 0..20 {
            lease.begin(at(3_300));
            lease.fail(at(3_300), "503", Pace::Backoff, &mut entropy);
        }
        assert!(lease.held_back_ms(at(3_300)) <= 115_000, "three minutes before the end");
        lease.begin(at(3_415));
        lease.fail(at(3_415), "503", Pace::Backoff, &mut entropy);
        assert!(lease.held_back_ms(at(3_415)) <= 30_000);
        lease.begin(at(3_560));
        lease.fail(at(3_560), "400", Pace::Slow, &mut entropy);
        assert!(lease.held_back_ms(at(3_560)) <= 5_000, "half a minute before the end");
        lease.begin(at(3_566));
        lease.fail(at(3_566), "400", Pace::Slow, &mut entropy);
        assert!(lease.held_back_ms(at(3_566)) >= 60_000, "no chance is left");
    }
}

#[test]
fn a_machine_that_slept_through_its_back_off_does_not_wait_for_the_rest() {
    let mut entropy = Entropy::default();
    let slept = |pace, asleep: u64, entropy: &mut Entropy| {
        let mut lease = TestLease::new(None);
        lease.begin(at(0));
        lease.fail(at(0), "x", pace, entropy);
        lease.held_back_ms(Now { wall_ms: at(asleep).wall_ms, monotonic_ms: at(0).monotonic_ms })
    };
    assert_eq!(
        slept(Pace::Slow, 300, &mut entropy),
        MIN_GAP_MS,
        "never without the pause between two attempts"
    );
    assert!(slept(Pace::Slow, 30, &mut entropy) >= 30_000);
    assert!(slept(Pace::After(100_000), 300, &mut entropy) >= 100_000, "the endpoint's own words hold");
    let mut lease = TestLease::new(None);
    lease.begin(at(1_000));
    lease.fail(at(1_000), "x", Pace::Slow, &mut entropy);
    let back = apart(0, 1_050);
    assert!(lease.held_back_ms(back) <= 250_000, "a wall clock that goes back makes no pause longer");
    assert_eq!(lease.wake_at(back), Some(back.monotonic_ms + lease.held_back_ms(back)));
}

#[test]
fn an_attempt_through_which_the_machine_slept_is_repeated_soon() {
    let (mut lease, mut entropy) = (TestLease::new(None), Entropy::default());
    for _ in 0..100 {
        lease.begin(at(0));
        lease.fail(at(1), "503", Pace::Backoff, &mut entropy);
        for pace in [Pace::Backoff, Pace::Slow] {
            lease.begin(at(1_000));
            lease.fail(apart(1_300, 1_001), "503", pace, &mut entropy);
            assert!(lease.held_back_ms(apart(1_300, 1_001)) <= 2_000);
        }
        lease.begin(at(1_000));
        lease.fail(apart(1_300, 1_001), "429", Pace::After(60_000), &mut entropy);
        assert!(lease.held_back_ms(apart(1_300, 1_001)) >= 60_000);
    }
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
fn endless_lives_are_cut_and_no_arithmetic_overflows() {
    let (mut lease, mut entropy) = (TestLease::new(Some(u64::MAX)), Entropy::default());
    let end = Now { wall_ms: u64::MAX, monotonic_ms: u64::MAX };
    lease.begin(end);
    lease.succeed(end, end, u64::MAX, "one", &mut entropy);
    assert!(matches!(lease.standing(end), Standing::Usable(_)));
    assert_eq!(lease.wake_at(end), Some(u64::MAX));
    lease.begin(end);
    lease.fail(end, "x", Pace::After(u64::MAX), &mut entropy);
    assert!(matches!(lease.standing(Now::default()), Standing::Usable(_)), "clocks before the start");
    let (lease, _) = holding(None, 1_000_000_000);
    assert_eq!(lease.deadlines().map(|(_, end)| end), Some(at(400 * 86_400 - 5).wall_ms));
}
