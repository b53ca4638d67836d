//! Where one thing ends and the next begins, to the millisecond.

use super::backoff::Pause;
use super::schedule::{Remaining, Renewal, Term, Zone, diverged};
use super::*;

const START: Now = Now { wall_ms: 1_800_000_000_000, monotonic_ms: 5_000_000 };

/// So many milliseconds after the start on each clock.
fn at(wall: i64, monotonic: u64) -> Now {
    Now { wall_ms: START.wall_ms.saturating_add_signed(wall), monotonic_ms: START.monotonic_ms + monotonic }
}

/// The same on both.
fn after(ms: u64) -> Now {
    at(i64::try_from(ms).unwrap(), ms)
}

/// What many seeds make of it, in order.
fn drawn(draw: impl Fn(&mut Entropy) -> u64) -> Vec<u64> {
    let mut drawn: Vec<_> = (0..2_000_u64)
        .map(|seed| {
            let mut entropy = Entropy::default();
            entropy.stir(&seed.to_le_bytes());
            draw(&mut entropy)
        })
        .collect();
    drawn.sort_unstable();
    drawn
}

/// They lie in the range, and reach into the last hundredth at both of its ends.
#[track_caller]
fn assert_fills(drawn: &[u64], from: u64, to: u64) {
    let (first, last, hundredth) = (drawn[0], drawn[drawn.len() - 1], (to - from) / 100);
    assert!((from..=from + hundredth).contains(&first), "{first}: {from} to {to}");
    assert!((to - hundredth..=to).contains(&last), "{last}: {from} to {to}");
}

#[test]
fn a_life_is_fresh_then_due_then_over() {
    // Lifetime, beginning of the last moments, end.
    for (lifetime, last_moments, end) in [
        (3_600_000, 3_415_000, 3_595_000),
        (600_000, 565_000, 595_000),
        (60_000, 25_000, 55_000),
        (50_000, 15_000, 45_000),
        (40_000, 6_000, 36_000),
    ] {
        let term = Term::new(START, lifetime, Renewal::Ahead(lifetime), &mut Entropy::default());
        let due = term.deadlines().0 - START.wall_ms;
        assert!(due <= lifetime / 2);
        for (edge, before, then) in [(due, Zone::Fresh, Zone::Due), (end, Zone::Due, Zone::Over)] {
            assert_eq!(term.zone(after(edge - 1)), before, "{lifetime}: before {edge}");
            assert_eq!(term.zone(after(edge)), then, "{lifetime}: at {edge}");
        }
        let Remaining { to_last_moments, to_end } = term.remaining(after(1_000));
        assert_eq!((to_last_moments, to_end), (last_moments - 1_000, end - 1_000));
        let Remaining { to_last_moments, to_end } = term.remaining(after(end + 1));
        assert_eq!((to_last_moments, to_end), (0, 0));
        assert_eq!(term.renewal_at(after(1)), START.monotonic_ms + due);
        assert_eq!(term.deadlines().1, START.wall_ms + end);
    }
}

#[test]
fn renewals_fill_their_part_of_the_life() {
    let due = |lifetime, renewal: Renewal| {
        drawn(|entropy| Term::new(START, lifetime, renewal, entropy).deadlines().0 - START.wall_ms)
    };
    assert_fills(&due(3_600_000, Renewal::Spread), 360_000, 1_765_000);
    assert_fills(&due(3_600_000, Renewal::Steady), 1_440_000, 1_765_000);
    assert_fills(&due(3_600_000, Renewal::Ahead(600_000)), 2_820_000, 3_000_000);
    assert_fills(&due(3_600_000, Renewal::Ahead(3_000_000)), 1_620_000, 1_800_000);
    // Never past the end.
    assert_fills(&due(3_600_000, Renewal::Ahead(0)), 3_415_000, 3_595_000);
    // A minute's rest, unless two fifths of the life are less.
    assert_fills(&due(300_000, Renewal::Spread), 60_000, 135_000);
    assert_fills(&due(100_000, Renewal::Spread), 40_000, 45_000);
}

#[test]
fn clocks_have_parted_beyond_two_seconds_and_a_thousandth() {
    for (now, parted) in [
        (at(2_000, 0), false),
        (at(2_001, 0), true),
        (at(-2_000, 0), false),
        (at(-2_001, 0), true),
        (at(1_003_000, 1_000_000), false),
        (at(1_003_001, 1_000_000), true),
        (at(997_000, 1_000_000), false),
        (at(996_999, 1_000_000), true),
    ] {
        assert_eq!(diverged(START, now), parted, "{now:?}");
        let term = Term::new(START, 86_400_000, Renewal::Steady, &mut Entropy::default());
        assert_eq!(term.zone(now), if parted { Zone::Due } else { Zone::Fresh }, "{now:?}");
        assert_eq!(term.renewal_at(now) == now.monotonic_ms, parted, "{now:?}");
    }
}

#[test]
fn the_gap_between_attempts_is_kept_on_the_clock_that_nobody_sets() {
    let pause = Pause::between(START);
    for (now, left) in [
        (START, 1_000),
        (after(1), 999),
        (after(999), 1),
        (after(1_000), 0),
        (after(9_000), 0),
        (at(9_000, 400), 600),
    ] {
        assert_eq!(pause.left(now), left, "{now:?}");
    }
}

/// After so many failures.
fn pauses(failures: u32, pace: Pace, remaining: Option<(u64, u64)>) -> Vec<u64> {
    let remaining = remaining.map(|(to_last_moments, to_end)| Remaining { to_last_moments, to_end });
    drawn(|entropy| Pause::after_failure(START, failures, pace, remaining, entropy).left(START))
}

#[test]
fn back_off_grows_up_to_five_minutes() {
    let (waited_for, has_time) = (None, Some((10_000_000, 20_000_000)));
    for (failures, remaining, most) in [
        (1, waited_for, 2_000),
        (2, waited_for, 4_000),
        (8, waited_for, 256_000),
        (9, waited_for, 300_000),
        (90, waited_for, 300_000),
        (1, has_time, 2_000),
        (2, has_time, 8_000),
        (4, has_time, 128_000),
        (5, has_time, 300_000),
        (90, has_time, 300_000),
        // Its last moments have begun: there is none.
        (2, Some((0, 20_000_000)), 4_000),
    ] {
        let pauses = pauses(failures, Pace::Backoff, remaining);
        assert_eq!(pauses[0], 1_000);
        assert!((most - most / 100..=most).contains(&pauses[pauses.len() - 1]), "{failures}");
    }
}

#[test]
fn other_paces_have_their_own_bounds() {
    assert_fills(&pauses(1, Pace::Slow, None), 60_000, 300_000);
    assert_fills(&pauses(1, Pace::After(100_000), None), 100_000, 110_000);
    assert_fills(&pauses(1, Pace::After(u64::MAX), None), 3_600_000, 3_960_000);
    assert_eq!(pauses(1, Pace::After(0), None)[1_999], 1_000);
}

#[test]
fn a_credential_that_ends_shortens_the_pause() {
    let longest = |pace, remaining| pauses(20, pace, Some(remaining))[1_999];
    let shortest = |pace, remaining| pauses(20, pace, Some(remaining))[0];
    // An attempt when the last moments begin, where the pace is our own ...
    assert_eq!(longest(Pace::Slow, (50_000, 230_000)), 50_000);
    assert_eq!(longest(Pace::Backoff, (1, 180_001)), 1_000);
    // ... else half a minute before the end.
    assert_eq!(longest(Pace::After(600_000), (50_000, 230_000)), 200_000);
    assert_eq!(shortest(Pace::After(600_000), (50_000, 230_000)), 200_000);
    assert_eq!(longest(Pace::Slow, (0, 100_000)), 70_000);
    assert_eq!(longest(Pace::Slow, (0, 30_001)), 1_000);
    assert!(shortest(Pace::Slow, (0, 30_000)) >= 60_000);
    // In the last moments the back-off hurries.
    assert!((29_700..=30_000).contains(&longest(Pace::Backoff, (0, 30_000))));
}

#[test]
fn a_pause_of_our_own_choice_ends_by_either_clock_and_another_does_not() {
    let pause = |pace| Pause::after_failure(START, 1, pace, None, &mut Entropy::default());
    let own = pause(Pace::Slow);
    let left = own.left(START);
    assert_eq!(own.left(at(10_000, 2_000)), left - 10_000);
    // Slept through, but for the gap that is always kept.
    assert_eq!(own.left(at(600_000, 400)), 600);
    assert_eq!(own.left(at(600_000, 1_000)), 0);
    let named = pause(Pace::After(100_000));
    let left = named.left(START);
    assert_eq!(named.left(at(600_000, 400)), left - 400);
}

type TestLease = Lease<&'static str, &'static str>;

/// Holds its first credential, an hour long, since the start.
fn holding() -> (TestLease, Entropy) {
    let (mut lease, mut entropy) = (TestLease::new(None), Entropy::default());
    lease.begin(START);
    lease.succeed(START, START, 3_600_000, "one", &mut entropy);
    (lease, entropy)
}

#[test]
fn what_happens_is_counted() {
    let (mut lease, mut entropy) = holding();
    lease.begin(after(10_000));
    lease.fail(after(10_000), "first", Pace::Backoff, &mut entropy);
    lease.begin(after(20_000));
    lease.fail(after(20_000), "second", Pace::Backoff, &mut entropy);
    let Counters { renewals, failures, failures_in_a_row } = lease.counters();
    assert_eq!((renewals, failures, failures_in_a_row), (1, 2, 2));
    assert_eq!((lease.last_error(), lease.generation()), (Some(&"second"), 1));
    lease.begin(after(30_000));
    lease.succeed(after(30_000), after(30_000), 3_600_000, "two", &mut entropy);
    let Counters { renewals, failures, failures_in_a_row } = lease.counters();
    assert_eq!((renewals, failures, failures_in_a_row), (2, 2, 0));
    assert_eq!((lease.last_error(), lease.generation()), (None, 2));
    assert_eq!(TestLease::fixed("key").generation(), 1);
}

#[test]
fn a_rejected_credential_is_held_back_when_the_next_attempt_is_a_second_away() {
    let (mut lease, mut entropy) = holding();
    lease.begin(after(10_000));
    lease.fail(after(10_000), "later", Pace::After(60_000), &mut entropy);
    lease.reject(after(10_000), 1);
    let next = 10_000 + lease.held_back_ms(after(10_000));
    assert_eq!(lease.standing(after(next - 1_001)), Standing::Usable(&"one"));
    assert_eq!(lease.standing(after(next - 1_000)), Standing::Pending);
    assert!(!lease.due(after(next - 1)) && lease.due(after(next)));
    assert_eq!(lease.wake_at(after(10_000)), Some(START.monotonic_ms + next));
    assert_eq!(lease.wake_at(after(next + 5)), Some(START.monotonic_ms + next + 5));
}

#[test]
fn a_rejection_counts_again_after_thirty_seconds() {
    for (gap, counts) in [(29_999, false), (30_000, true)] {
        let (mut lease, mut entropy) = holding();
        lease.reject(after(5_000), 1);
        lease.begin(after(5_000));
        lease.succeed(after(5_000), after(5_000), 3_600_000, "two", &mut entropy);
        lease.reject(after(5_000 + gap), 2);
        assert_eq!(lease.due(after(5_000 + gap)), counts, "{gap}");
    }
}

#[test]
fn phases() {
    let (mut lease, mut entropy) = holding();
    assert_eq!(lease.phase(after(0)), Phase::Fresh);
    // It ended, and nothing was tried since.
    assert_eq!(lease.phase(after(3_595_000)), Phase::Acquiring);
    lease.begin(after(10_000));
    assert_eq!(lease.phase(after(10_000)), Phase::Renewing);
    assert_eq!(lease.phase(after(3_595_000)), Phase::Acquiring);
    lease.fail(after(10_000), "no", Pace::Backoff, &mut entropy);
    assert_eq!(lease.phase(after(10_000)), Phase::Waiting);
    assert_eq!(lease.phase(after(3_595_000)), Phase::Failed);
    lease.reject(after(20_000), 1);
    assert_eq!(lease.phase(after(20_000)), Phase::Failed);
}
