//! One attempt to get a credential, in a world that answers as it is told to. Whatever the answers are, the connection
//! asks for nothing that its plan did not announce, and ends with a credential that can be used or an error that can be
//! shown.

use keyless_engine::io::{Effect, Now};
use keyless_engine::plan::Requirements;
use keyless_engine::{Answered, Error, Event, Machine};

use crate::{announced, shown};

/// When every attempt begins: 15 January 2027.
pub const START: Now = Now { wall_ms: 1_800_000_000_000, monotonic_ms: 5_000_000 };

/// No credential is believed for longer: a day.
const LONGEST_MS: u64 = 24 * 3_600_000;

/// No attempt needs more steps: eleven requests at most, the pauses before them, and a file read six times.
const STEPS: usize = 100;

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The headers' values, and when it ends in Unix milliseconds.
    Ready(Vec<(String, String)>, Option<u64>),
    /// There is none.
    Failed(Error),
}

/// Steps a machine from [`START`] until it holds a credential or has failed. `answer` says what becomes of an effect.
pub fn run(
    machine: &mut Machine,
    needs: &Requirements,
    mut answer: impl FnMut(Effect, Now) -> Option<Event>,
) -> Outcome {
    let mut now = START;
    let mut effects = machine.step(now, Event::Tick);
    for _ in 0..STEPS {
        let event = match effects.pop() {
            Some(effect) => {
                announced::is_announced(&effect, needs);
                match answer(effect, now) {
                    Some(event) => event,
                    None => continue,
                }
            }
            None => match machine.credential(now) {
                Answered::Pending => {
                    let Some(wake) = machine.wake_at(now) else { panic!("it waits for nothing") };
                    let waited = wake.saturating_sub(now.monotonic_ms);
                    assert!(waited > 0, "it waits for a moment that has come");
                    now = Now { wall_ms: now.wall_ms + waited, monotonic_ms: wake };
                    Event::Tick
                }
                Answered::Ready(credential) => {
                    let ends = credential.expires_at;
                    assert!(ends.is_none_or(|end| end > now.wall_ms && end - START.wall_ms <= LONGEST_MS + 60_000));
                    assert!(
                        credential.renew_at.is_none_or(|at| Some(at) <= ends),
                        "it ends before it is renewed"
                    );
                    let headers = credential.headers.iter();
                    let headers: Vec<_> =
                        headers.map(|(name, value)| (name.clone(), value.expose().to_owned())).collect();
                    are_sound(&headers);
                    return Outcome::Ready(headers, ends);
                }
                Answered::Failed(error) => {
                    shown::is_presentable(&error);
                    let wait = error.retry_after_ms();
                    assert!(
                        wait.is_some_and(|ms| (1_000..=3_960_000).contains(&ms)),
                        "waits for {wait:?} ms"
                    );
                    return Outcome::Failed(error);
                }
            },
        };
        effects.extend(machine.step(now, event));
    }
    panic!("an attempt takes more than {STEPS} steps");
}

fn are_sound(headers: &[(String, String)]) {
    assert!(!headers.is_empty(), "a credential without a header");
    headers.iter().for_each(|(name, value)| announced::is_header(name, value));
}
