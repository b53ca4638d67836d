//! Our engine, the whole of it, with a document that says nothing of renewal.

use keyless_engine::io::{Effect, Now, Response};
use keyless_engine::lease::Phase;
use keyless_engine::secret::SecretBytes;
use keyless_engine::{Answered, Event, Machine, Variables};

use super::policy::{Answer, Call, LIFETIME, Policy};
use crate::life::DOCUMENT;
use crate::plot::{Moment, SECOND};
use crate::random::Random;
use crate::world::EPOCH;

/// {"alg":"ES256"}.{"iss":"https://cluster.example","sub":"a","aud":"b","exp":4000000000}: how long an identity lives is
/// no part of these figures.
const IDENTITY: &[u8] = b"eyJhbGciOiJFUzI1NiJ9.\
    eyJpc3MiOiJodHRwczovL2NsdXN0ZXIuZXhhbXBsZSIsInN1YiI6ImEiLCJhdWQiOiJiIiwiZXhwIjo0MDAwMDAwMDAwfQ.c2ln";

/// An instance: what differs between two are the moments of its life, when its machine was booted, and its tokens.
pub struct Engine {
    machine: Machine,
    number: u64,
    booted: u64,
    issued: u64,
    /// The request under way.
    flight: u64,
    at: Moment,
    /// The API refused what is held.
    rejected: bool,
}

impl Engine {
    /// The instance of that number.
    #[must_use]
    pub fn new(number: u64) -> Self {
        let machine = Machine::open(DOCUMENT, &Variables::default()).unwrap();
        let booted = Random::new(number).between(0, 100 * LIFETIME);
        Self { machine, number, booted, issued: 0, flight: 0, at: 0, rejected: false }
    }

    fn now(&self, at: Moment) -> Now {
        Now { wall_ms: EPOCH + at, monotonic_ms: self.booted + at }
    }

    /// True: a request is sent.
    fn step(&mut self, at: Moment, event: Event) -> bool {
        self.at = at;
        let now = self.now(at);
        let mut events = vec![event];
        let mut sends = false;
        while let Some(event) = events.pop() {
            for effect in self.machine.step(now, event) {
                match effect {
                    Effect::ReadFile { id, .. } => {
                        events.push(Event::File(id, Ok(IDENTITY.to_vec().into())));
                    }
                    Effect::Send { id, .. } => {
                        self.flight = id;
                        sends = true;
                    }
                    Effect::Cancel { .. } | Effect::AskSource { .. } => {
                        unreachable!("every answer comes in time, and the document names no component")
                    }
                }
            }
        }
        sends
    }

    fn respond(&mut self, at: Moment, status: u16, body: &str) {
        let body = SecretBytes::from(body.as_bytes().to_vec());
        let response = Response { status, headers: Vec::new(), body };
        let again = self.step(at, Event::Response(self.flight, Ok(response)));
        assert!(!again, "between two requests there is a pause");
    }

    fn answer(&self, at: Moment) -> Answer {
        match self.machine.credential(self.now(at)) {
            Answered::Ready(_) => Answer::Served,
            Answered::Pending => Answer::Waits,
            Answered::Failed(_) => Answer::Failed,
        }
    }
}

impl Policy for Engine {
    fn call(&mut self, now: Moment) -> Call {
        let asks = self.step(now, Event::Tick);
        Call { answer: self.answer(now), asks }
    }

    fn wake_at(&self) -> Option<Moment> {
        let now = self.now(self.at);
        self.machine.wake_at(now).map(|at| self.at + at.saturating_sub(now.monotonic_ms))
    }

    fn wake(&mut self, now: Moment) -> bool {
        self.step(now, Event::Tick)
    }

    fn granted(&mut self, now: Moment) {
        self.issued += 1;
        self.rejected = false;
        let (number, issued, seconds) = (self.number, self.issued, LIFETIME / SECOND);
        let body = format!(
            r#"{{"access_token":"token-{number}-{issued}","token_type":"Bearer","expires_in":{seconds}}}"#
        );
        self.respond(now, 200, &body);
    }

    fn refused(&mut self, now: Moment) -> Answer {
        self.rejected = false;
        self.respond(now, 503, "<html>");
        match self.answer(now) {
            Answer::Served => Answer::Served,
            Answer::Failed | Answer::Waits => Answer::Failed,
        }
    }

    fn rejected(&mut self, now: Moment) -> bool {
        self.rejected = true;
        let generation = self.machine.status(self.now(now)).generation;
        self.step(now, Event::Reject(generation))
    }

    fn calm_until(&self) -> Moment {
        let ends = self.machine.status(self.now(self.at)).expires_at;
        if self.rejected { 0 } else { ends.map_or(0, |at| at - EPOCH) }
    }

    fn fresh(&self, now: Moment) -> bool {
        self.machine.status(self.now(now)).phase == Phase::Fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_at_once_renews_in_the_first_half_and_keeps_what_it_has_through_a_failure() {
        let mut engine = Engine::new(7);
        assert_eq!(engine.call(0), Call::ASKS);
        engine.granted(100);
        assert!(engine.fresh(100));
        assert_eq!(engine.calm_until(), LIFETIME - 5 * SECOND);
        let renewal = engine.wake_at().unwrap();
        assert!((LIFETIME / 10..=LIFETIME / 2).contains(&renewal), "{renewal}");
        assert!(!engine.wake(renewal - 1) && engine.wake(renewal));
        assert_eq!(engine.refused(renewal + 100), Answer::Served);
        assert!(!engine.fresh(renewal + 100));
        let again = engine.wake_at().unwrap() - renewal - 100;
        assert!((SECOND..=2 * SECOND).contains(&again), "{again}");
    }

    #[test]
    fn a_refused_credential_is_replaced_at_once() {
        let mut engine = Engine::new(7);
        engine.call(0);
        engine.granted(100);
        assert!(engine.rejected(10 * SECOND));
        assert_eq!((engine.calm_until(), engine.call(11 * SECOND)), (0, Call::WAITS));
    }
}
