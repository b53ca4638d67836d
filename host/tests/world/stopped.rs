//! A process that is stopped, or sleeps with its machine, and finds other clocks when it goes on.
//!
//! What it sends then the API judges by the time of the world outside: a credential past its end is refused, and
//! counted.

use std::thread;
use std::time::Duration;

use keyless_sandbox::ServiceName;
use tokio::time::Instant;

use crate::outside::Outside;
use crate::stage::{STEP, Stage};
use crate::subject::{Ahead, Subject};

const TEN_MINUTES: u64 = 600;

/// What ten minutes are to whom.
struct Stop {
    name: &'static str,
    /// Of a credential, in seconds.
    lifetime: u64,
    process: Ahead,
    /// Seconds that pass outside.
    world: u64,
    /// Whether the next credential is waited for. While the one held is good, that takes up to half a minute.
    renewed: bool,
}

const STOPS: [Stop; 6] = [
    Stop {
        name: "stopped for ten minutes",
        lifetime: 300,
        process: Ahead { wall: 600, monotonic: TEN_MINUTES },
        world: TEN_MINUTES,
        renewed: true,
    },
    Stop {
        name: "suspended with its machine",
        lifetime: 300,
        process: Ahead { wall: 600, monotonic: 0 },
        world: TEN_MINUTES,
        renewed: true,
    },
    Stop {
        name: "stopped for ten minutes, and the wall clock set back as far",
        lifetime: 300,
        process: Ahead { wall: 0, monotonic: TEN_MINUTES },
        world: TEN_MINUTES,
        renewed: true,
    },
    Stop {
        name: "stopped, and the wall clock set back by ten minutes",
        lifetime: 20,
        process: Ahead { wall: -600, monotonic: 0 },
        world: 0,
        renewed: true,
    },
    Stop {
        name: "stopped, and the wall clock set ahead by ten minutes",
        lifetime: 3600,
        process: Ahead { wall: 600, monotonic: 0 },
        world: 0,
        renewed: false,
    },
    Stop {
        name: "suspended with its machine, and the credential outlives that",
        lifetime: 3600,
        process: Ahead { wall: 600, monotonic: 0 },
        world: TEN_MINUTES,
        renewed: false,
    },
];

fn trial(stop: &Stop) {
    let outside = Outside::new(Duration::from_secs(stop.lifetime));
    let sandbox = &outside.sandbox;
    let mut subject = Subject::open(&sandbox.documents().native, &sandbox.ca_path());
    assert_eq!(subject.tell("ready"), "1");
    subject.order("call 20");
    let mut seen = subject.tally();

    subject.stop();
    sandbox.advance_clock(Duration::from_secs(stop.world));
    subject.set_clocks(stop.process);
    // Already there when it goes on, so that the callers and the renewal start in the same moment.
    subject.order("call 200");
    subject.go_on();
    let at_once = subject.tally();
    if stop.renewed {
        subject.order("beyond 1");
        seen.add(subject.tally());
    }

    let expired = sandbox.counters(ServiceName::Upstream).answered(401);
    let exchanges = sandbox.counters(ServiceName::Exchange).requests;
    println!("{}: at once {at_once}", stop.name);
    seen.add(at_once);
    println!("{}: {seen}; {expired} expired on the wire, {exchanges} exchanges", stop.name);
    seen.flawless();
    assert_eq!((expired, exchanges > 1), (0, stop.renewed), "{}", stop.name);
}

#[test]
fn a_stopped_process_with_a_step_of_the_clock_uses_no_credential_past_its_end() {
    // Side by side: each of them waits for another process most of the time.
    thread::scope(|scope| {
        for stop in &STOPS {
            scope.spawn(|| trial(stop));
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_step_of_the_clock_is_followed_by_a_renewal_and_noticed_by_nobody() {
    let mut stage = Stage::new().await;
    for seconds in [600, -600] {
        let generation = stage.connection.status().generation;
        let began = Instant::now();
        stage.step_wall_clock(seconds);
        stage.until(|stage| stage.connection.status().generation > generation).await;
        println!("wall clock {seconds:+} s: renewed within {:.0?}; {}", began.elapsed(), stage.tally);
        assert!(began.elapsed() <= 6 * STEP, "{:?}", began.elapsed());
    }
    stage.flawless();
}
