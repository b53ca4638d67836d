//! Everything that can happen to a connection, in any order: answers good and bad, late and to questions that nobody
//! asked any more; rejections; and time, which passes, stands still, and is set on either side of where it was. After each
//! of it the connection keeps what it promised (`witness`).

#![no_main]

use std::sync::LazyLock;

use keyless_engine::io::{Effect, Now, Response};
use keyless_engine::{Event, Machine};
use keyless_fuzz::announced;
use keyless_fuzz::attempt::START;
use keyless_fuzz::connections::{self, EXCHANGES, LEASES, Prepared, SOURCES};
use keyless_fuzz::input::Input;
use keyless_fuzz::platform;
use keyless_fuzz::witness::Witness;
use libfuzzer_sys::fuzz_target;

/// Long enough for several lives.
const HAPPENINGS: usize = 400;

static PREPARED: LazyLock<Vec<Prepared>> = LazyLock::new(|| {
    [&LEASES[..], &EXCHANGES, &SOURCES].into_iter().flat_map(connections::prepared).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let Some(prepared) = PREPARED.get(input.below(PREPARED.len())) else { return };
    let mut life = Life::of(prepared);
    for _ in 0..HAPPENINGS {
        if input.is_empty() {
            break;
        }
        life.happens(&mut input);
    }
});

struct Life<'a> {
    prepared: &'a Prepared,
    machine: Machine,
    now: Now,
    /// Questions that are not answered, and when they were asked.
    open: Vec<(Effect, Now)>,
    witness: Witness,
    issued: u64,
}

impl<'a> Life<'a> {
    fn of(prepared: &'a Prepared) -> Self {
        let machine = prepared.connection.open();
        let witness = Witness::of(&machine, START);
        Self { prepared, machine, now: START, open: Vec::new(), witness, issued: 0 }
    }

    fn happens(&mut self, input: &mut Input<'_>) {
        match input.below(10) {
            0..=2 => self.time_passes(input),
            3 => self.step(Event::Tick),
            4..=7 => self.answers(input),
            8 => {
                // Of something that nobody waits for.
                let id = input.number();
                if !self.open.iter().any(|(effect, _)| id_of(effect) == id) {
                    self.step(Event::Response(id, platform::refusal(input)));
                }
            }
            _ => {
                let current = self.machine.status(self.now).generation;
                let generation = match input.below(4) {
                    0 => current.saturating_sub(1),
                    1 => input.number(),
                    _ => current,
                };
                self.witness.rejected(generation);
                self.step(Event::Reject(generation));
            }
        }
        self.witness.looks(&self.machine, self.now);
    }

    /// The one clock never goes back. The other goes where it is set.
    fn time_passes(&mut self, input: &mut Input<'_>) {
        const USUAL: [u64; 10] = [0, 1, 999, 1_000, 1_001, 30_000, 300_000, 1_800_000, 3_600_000, 86_400_000];
        let wake = self.machine.wake_at(self.now).unwrap_or(0).saturating_sub(self.now.monotonic_ms);
        let kind = input.below(9);
        let passed = match kind {
            0..=2 => wake,
            3 | 4 => input.number(),
            _ => input.pick(&USUAL).unwrap_or(0),
        };
        let Now { wall_ms, monotonic_ms } = &mut self.now;
        match kind {
            5 => *wall_ms = wall_ms.saturating_add(passed),
            6 => *wall_ms = wall_ms.saturating_sub(passed),
            7 => *wall_ms = input.number(),
            8 => *monotonic_ms = monotonic_ms.saturating_add(passed),
            _ => {
                *wall_ms = wall_ms.saturating_add(passed);
                *monotonic_ms = monotonic_ms.saturating_add(passed);
            }
        }
        if input.byte() & 1 == 0 {
            self.witness.looks(&self.machine, self.now);
        }
        self.step(Event::Tick);
    }

    /// One of the open questions is answered.
    fn answers(&mut self, input: &mut Input<'_>) {
        if self.open.is_empty() {
            return;
        }
        let (effect, asked) = self.open.swap_remove(input.below(self.open.len().min(256)));
        let audience = self.prepared.connection.audience;
        match effect {
            Effect::ReadFile { id, .. } => {
                self.step(Event::File(id, platform::file(input, audience, self.now)));
            }
            Effect::AskSource { id, .. } => {
                self.step(Event::Source(id, platform::component(input, audience, self.now)));
            }
            Effect::Send { id, request } => {
                self.witness.answered(id);
                if request.method != "POST" || request.url.contains("amazonaws") {
                    let answer = platform::service(input, &request.url, audience, self.now);
                    self.step(Event::Response(id, answer));
                } else if input.below(4) == 0 {
                    self.step(Event::Response(id, platform::refusal(input)));
                } else {
                    self.issues(input, id, asked);
                }
            }
            Effect::Cancel { .. } => {}
        }
    }

    /// The token endpoint gives a token for a while.
    fn issues(&mut self, input: &mut Input<'_>, id: u64, asked: Now) {
        const USUAL: [u64; 8] = [1, 5, 60, 299, 300, 3_600, 86_400, 1_000_000];
        let seconds =
            if input.byte() & 1 == 0 { input.pick(&USUAL).unwrap_or(1) } else { input.number() / 1_000 };
        self.issued += 1;
        let token = format!("CANARY-access-{}", self.issued);
        let body = format!(
            r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{seconds},"chatgpt_account_id":"account","issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}}"#
        );
        let answer = Response { status: 200, headers: Vec::new(), body: body.into_bytes().into() };
        let renewals = self.machine.status(self.now).counters.renewals;
        self.step_unseen(Event::Response(id, Ok(answer)));
        if self.machine.status(self.now).counters.renewals > renewals {
            self.witness.granted(&self.machine, self.now, &token, asked, seconds.saturating_mul(1_000));
        } else {
            // What lives for less than two seconds cannot be followed by another; Codex takes none that lives for hours.
            let choosy = self.prepared.connection.document.contains("codex");
            assert!(seconds < 2 || choosy, "a token for {seconds} s is not taken");
            self.witness.nothing_granted(&self.machine, self.now);
        }
    }

    fn step(&mut self, event: Event) {
        self.step_unseen(event);
        self.witness.nothing_granted(&self.machine, self.now);
    }

    /// What it brings is for the caller to see.
    fn step_unseen(&mut self, event: Event) {
        let told = matches!(event, Event::Reject(_));
        let before = self.witness.before(&self.machine, self.now);
        let effects = self.machine.step(self.now, event);
        effects.iter().for_each(|effect| announced::is_announced(effect, &self.prepared.needs));
        self.witness.stepped(&self.machine, self.now, &before, &effects, told);
        for effect in effects {
            match effect {
                Effect::Cancel { id } => self.open.retain(|(effect, _)| id_of(effect) != id),
                effect => self.open.push((effect, self.now)),
            }
        }
    }
}

fn id_of(effect: &Effect) -> u64 {
    match effect {
        Effect::ReadFile { id, .. }
        | Effect::Send { id, .. }
        | Effect::AskSource { id, .. }
        | Effect::Cancel { id } => *id,
    }
}
