//! What a connection promises, checked from the outside: nothing here knows how the lease does it.

use keyless_engine::io::Now;

use crate::life::Broken;
use crate::plot::{HOUR, MINUTE, Moment, SECOND};

/// A token that is granted for longer is believed for a day.
const LONGEST: u64 = 24 * HOUR;

/// Between two requests there is at least this much.
const GAP: u64 = SECOND;

/// Tokens of less cannot be had all the time: between two requests there is a second.
const SHORT: u64 = MINUTE;

/// How long after a rejection a new credential is there, when all is well: one forced renewal in 30 s, and the time for it.
const REPLACED: u64 = MINUTE;

/// A rejection that follows another too closely is ignored, and so may be the next; not a third.
const TELLINGS: u32 = 3;

/// What a caller got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Ready { generation: u64, token: String },
    Pending,
    Failed(&'static str),
}

/// What was seen so far.
#[derive(Default)]
pub struct Promises {
    held: Option<Held>,
    sent_at: Option<u64>,
    not_before: Option<u64>,
    /// In true time: the request under way or the last, and what happened to each of the clocks last.
    asked_at: Moment,
    slept_at: Option<Moment>,
    stepped_back_at: Option<Moment>,
    quiet_after: Moment,
    /// Until when the endpoint itself may have asked to be left alone.
    paused_until: Moment,
    /// What the endpoint gives now; 0 before it was ever changed.
    lifetime: u64,
    off: i64,
    /// Whether the endpoint has ever answered, and so said what time it is.
    answered: bool,
}

/// The credential that was granted last.
struct Held {
    generation: u64,
    token: String,
    anchor: Now,
    /// As the engine may believe it.
    lifetime: u64,
    /// In true time.
    ends: Moment,
    /// In true time, when it was asked for.
    asked_at: Moment,
    /// The API takes it no longer.
    revoked: bool,
    /// When the engine was told last while all was well, and how often.
    told: (Moment, u32),
}

impl Held {
    /// By the clock that says so first.
    fn age(&self, now: Now) -> u64 {
        let wall = now.wall_ms.saturating_sub(self.anchor.wall_ms);
        wall.max(now.monotonic_ms.saturating_sub(self.anchor.monotonic_ms))
    }

    /// Without its last moments, in which it is not handed out.
    fn usable(&self, now: Now) -> bool {
        self.age(now) < self.lifetime - (5 * SECOND).min(self.lifetime / 10)
    }
}

impl Promises {
    /// Something is wrong until then, its consequences included.
    pub fn trouble_until(&mut self, moment: Moment) {
        self.quiet_after = self.quiet_after.max(moment);
    }

    /// What the endpoint gives from now on.
    pub fn lifetime(&mut self, lifetime: u64) {
        self.lifetime = lifetime;
    }

    /// The endpoint may have asked to be left alone until then.
    pub fn pause_goes_on(&mut self, until: Moment) {
        self.paused_until = self.paused_until.max(until);
    }

    /// A back-off of our own choice is over when the machine wakes; a time that the endpoint named goes on, on the clock
    /// that stood still.
    pub fn slept(&mut self, from: Moment, lasts: u64) {
        if self.paused_until > from {
            self.paused_until += lasts;
            self.trouble_until(self.paused_until);
        }
        self.trouble_until(from + lasts + MINUTE);
        self.slept_at = Some(from + lasts);
    }

    /// The endpoint answered, with its `Date`, or did not.
    pub fn answers(&mut self, answered: bool) {
        self.answered |= answered;
    }

    /// `back`: whether the wall clock went back; `off`: by how much it is wrong now.
    pub fn clock_set(&mut self, back: bool, off: i64, time: Moment) {
        self.off = off;
        self.trouble_until(time + 6 * MINUTE);
        if back {
            self.stepped_back_at = Some(time);
        }
    }

    /// The API takes the credential no longer.
    pub fn revoked(&mut self) {
        if let Some(held) = &mut self.held {
            held.revoked = true;
        }
    }

    /// A new process knows nothing of the one before.
    pub fn restarted(&mut self, time: Moment) {
        let quiet_after = self.quiet_after.max(time + MINUTE);
        let Self { paused_until, lifetime, off, .. } = *self;
        *self = Self { quiet_after, paused_until, lifetime, off, ..Self::default() };
    }

    /// It always waits for something.
    pub fn is_awake(&self, awake: bool) -> Result<(), Broken> {
        if awake { Ok(()) } else { Err("it waits for nothing at all".to_owned()) }
    }

    /// One request at a time, with a pause between, and not before the endpoint wants to be asked.
    pub fn sends(&mut self, time: Moment, now: Now, under_way: usize) -> Result<(), Broken> {
        self.asked_at = time;
        let at = now.monotonic_ms;
        if under_way > 0 {
            return Err("two requests at once".to_owned());
        }
        if let Some(before) = self.sent_at.filter(|before| at - before < GAP) {
            return Err(format!("two requests within {} ms", at - before));
        }
        if let Some(moment) = self.not_before.filter(|moment| at < *moment) {
            return Err(format!("a request {} ms before the endpoint wanted one", moment - at));
        }
        (self.sent_at, self.not_before) = (Some(at), None);
        Ok(())
    }

    /// What was granted is held, under the next generation.
    pub fn granted(
        &mut self,
        (before, after): (u64, u64),
        token: &str,
        anchor: Now,
        issued: Moment,
        lifetime: u64,
    ) -> Result<(), Broken> {
        if after != before + 1 {
            return Err(format!("a token was granted, and generation {before} became {after}"));
        }
        self.held = Some(Held {
            generation: after,
            token: format!("Bearer {token}"),
            anchor,
            lifetime: lifetime.min(LONGEST),
            ends: issued + lifetime,
            asked_at: self.asked_at,
            revoked: false,
            told: (issued, 0),
        });
        Ok(())
    }

    /// A failure changes nothing but the time of the next request.
    pub fn failed(&mut self, (before, after): (u64, u64), now: Now, asked: u64) -> Result<(), Broken> {
        if before != after {
            return Err("a failure brought a credential".to_owned());
        }
        // A credential that is about to end gives its successor one more chance, half a minute before.
        let last_chance = self.held.as_ref().map_or(u64::MAX, |held| {
            let end = held.lifetime - (5 * SECOND).min(held.lifetime / 10);
            match end.saturating_sub(held.age(now)) {
                left if left > 30 * SECOND => left - 30 * SECOND,
                _ => u64::MAX,
            }
        });
        self.not_before = Some(now.monotonic_ms + asked.min(HOUR).min(last_chance));
        Ok(())
    }

    /// What a caller gets. The generation to reject, if the API would refuse what was handed out.
    pub fn answered(
        &mut self,
        time: Moment,
        now: Now,
        answer: &Answer,
        under_way: bool,
    ) -> Result<Option<u64>, Broken> {
        let short = self.lifetime != 0 && self.lifetime < SHORT
            || self.held.as_ref().is_some_and(|held| held.lifetime < SHORT);
        let quiet = time >= self.quiet_after && !short;
        match answer {
            Answer::Ready { generation, token } => {
                let Some(held) = &mut self.held else { return Err("a credential from nowhere".to_owned()) };
                if *generation != held.generation || *token != held.token {
                    return Err(format!("generation {generation}, and {} is the latest", held.generation));
                }
                if !held.usable(now) {
                    return Err("a credential that has expired on a clock".to_owned());
                }
                let both_clocks_lie =
                    self.slept_at.min(self.stepped_back_at).is_some_and(|at| at >= held.asked_at);
                if time >= held.ends && !both_clocks_lie {
                    return Err(format!("a credential {} ms past its end", time - held.ends));
                }
                if !held.revoked {
                    return Ok(None);
                }
                let (told, tellings) = held.told;
                if quiet && time - told > REPLACED {
                    held.told = (time, tellings + 1);
                }
                if tellings >= TELLINGS {
                    return Err("a rejected credential is handed out, told three times".to_owned());
                }
                Ok(Some(*generation))
            }
            Answer::Pending | Answer::Failed(_) => {
                if let Some(held) = self.held.as_ref().filter(|held| held.usable(now) && !held.revoked) {
                    return Err(format!("generation {} is valid, and is not handed out", held.generation));
                }
                let first = self.held.is_none();
                let revoked = self.held.as_ref().is_some_and(|held| held.revoked);
                // Nothing says yet that this machine's clock is wrong. Then it is named as a possible cause.
                let clock_ahead = self.off > 0 && !self.answered;
                match answer {
                    Answer::Failed("token-expired") if clock_ahead => Ok(None),
                    Answer::Failed(code) if quiet => Err(format!("all is well, and a caller gets {code}")),
                    Answer::Pending if quiet && first && !under_way => {
                        Err("a caller waits, and nothing is under way".to_owned())
                    }
                    Answer::Pending if quiet && !first && !revoked => {
                        Err("a caller waits for what could have been there ahead of time".to_owned())
                    }
                    _ => Ok(None),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Now = Now { wall_ms: 1_000_000_000, monotonic_ms: 5_000_000 };

    fn later(ms: u64) -> Now {
        Now { wall_ms: AT.wall_ms + ms, monotonic_ms: AT.monotonic_ms + ms }
    }

    fn holding() -> Promises {
        let mut promises = Promises::default();
        promises.granted((0, 1), "a", AT, 0, HOUR).unwrap();
        promises
    }

    fn ready(generation: u64, token: &str) -> Answer {
        Answer::Ready { generation, token: format!("Bearer {token}") }
    }

    #[track_caller]
    fn broken(result: Result<Option<u64>, Broken>, word: &str) {
        let words = result.unwrap_err();
        assert!(words.contains(word), "{words}");
    }

    #[test]
    fn every_promise_can_be_broken() {
        broken(holding().answered(MINUTE, later(MINUTE), &Answer::Pending, true), "not handed out");
        broken(holding().answered(MINUTE, later(MINUTE), &Answer::Failed("x"), true), "not handed out");
        broken(holding().answered(MINUTE, later(MINUTE), &ready(2, "a"), true), "latest");
        broken(holding().answered(MINUTE, later(MINUTE), &ready(1, "b"), true), "latest");
        broken(holding().answered(HOUR, later(HOUR - SECOND), &ready(1, "a"), true), "expired on a clock");
        broken(Promises::default().answered(0, AT, &ready(1, "a"), true), "nowhere");
        broken(Promises::default().answered(0, AT, &Answer::Failed("x"), true), "all is well");
        broken(Promises::default().answered(0, AT, &Answer::Pending, false), "nothing is under way");
        broken(holding().answered(HOUR, later(HOUR), &Answer::Pending, true), "ahead of time");
        // A suspended machine whose monotonic clock is the only one that is looked at.
        let slow = Now { wall_ms: AT.wall_ms, monotonic_ms: AT.monotonic_ms };
        let mut promises = holding();
        promises.slept(0, 0);
        broken(promises.answered(2 * HOUR, slow, &ready(1, "a"), true), "past its end");
        let mut promises = holding();
        promises.revoked();
        let mut told = || promises.answered(MINUTE, later(MINUTE), &ready(1, "a"), true);
        assert_eq!(told(), Ok(Some(1)));
        for minutes in [3, 5] {
            promises.answered(minutes * MINUTE, later(minutes * MINUTE), &ready(1, "a"), true).unwrap();
        }
        promises.answered(7 * MINUTE, later(7 * MINUTE), &ready(1, "a"), true).unwrap();
        broken(promises.answered(9 * MINUTE, later(9 * MINUTE), &ready(1, "a"), true), "told three times");
    }

    #[test]
    fn every_promise_about_requests_can_be_broken() {
        let mut promises = Promises::default();
        assert!(promises.sends(0, AT, 1).unwrap_err().contains("at once"));
        promises.sends(0, AT, 0).unwrap();
        assert!(promises.sends(0, later(999), 0).unwrap_err().contains("within 999 ms"));
        promises.failed((0, 0), later(1_000), 30_000).unwrap();
        assert!(promises.sends(0, later(30_000), 0).unwrap_err().contains("1000 ms before"));
        promises.sends(0, later(31_000), 0).unwrap();
        assert!(promises.failed((0, 1), later(32_000), 0).unwrap_err().contains("failure"));
        assert!(promises.granted((1, 1), "a", AT, 0, HOUR).unwrap_err().contains("became"));
        assert!(promises.is_awake(false).unwrap_err().contains("nothing at all"));
    }
}
