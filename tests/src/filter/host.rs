//! The filter in one worker, played like any other host: a call for a credential is a request that comes.

use std::collections::BTreeMap;

use keyless_engine::error::{Code, Error};
use keyless_engine::io::Now;
use keyless_engine::{Answered, Machine, Variables};
use keyless_scenarios::canary::MARK;
use keyless_scenarios::hosts::driven::Driven;
use keyless_scenarios::hosts::native::Native;
use keyless_scenarios::hosts::{self, Host, Pairs, values};
use keyless_scenarios::trace::{Credential, Plan, Problem, Status};
use keyless_scenarios::world::World;
use keyless_scenarios::world::disk::Change;
use serde_json::json;

use super::agreement;
use super::envoy::Envoy;
use super::process::ERROR;
use super::replica::{self, Rejection};
use super::streams::Fate;
use super::worker::Worker;

/// Of linear memory, in pages of 64 KiB: an Envoy has as many as it has workers.
const MOST_PAGES: u64 = 32;

pub(super) struct InEnvoy {
    envoy: Envoy,
    /// For what is not the filter's to tell.
    native: Driven<Native>,
    opened: Option<Opened>,
}

struct Opened {
    root: u32,
    document: String,
    variables: Variables,
    /// A request that has each generation.
    given: BTreeMap<u64, u32>,
    rejections: Vec<Rejection>,
}

impl InEnvoy {
    pub(super) fn new(world: World) -> Self {
        Self { envoy: Envoy::new(world.clone()), native: hosts::native(world), opened: None }
    }

    fn opened(&self) -> &Opened {
        self.opened.as_ref().expect("an open connection")
    }

    fn worker(&mut self) -> &mut Worker {
        self.envoy.workers.first_mut().expect("an open connection")
    }

    fn tick(&mut self) {
        let root = self.opened().root;
        self.worker().tick(root);
    }

    fn replica(&self) -> Machine {
        let Opened { document, variables, rejections, .. } = self.opened();
        replica::of(&self.envoy.process.borrow(), document, variables, rejections)
    }

    /// Until a request has gone on, or there is no attempt left that it could wait for.
    fn settled(&mut self) -> Result<Credential, Problem> {
        self.tick();
        let root = self.opened().root;
        let mut request = None;
        loop {
            self.envoy.progress();
            let context = *request.get_or_insert_with(|| self.worker().request(root, agreement::request()));
            let (replica, now) = (self.replica(), self.now());
            let stream = self.worker().stream(context);
            match (&stream.fate, replica.credential(now)) {
                (Fate::Forwarded, Answered::Ready(credential)) => {
                    agreement::assert_has(stream, &credential);
                    let given = &mut self.opened.as_mut().expect("an open connection").given;
                    given.insert(credential.generation, context);
                    return Ok(values::credential(&credential));
                }
                (Fate::Answered(reply), Answered::Failed(error)) => {
                    agreement::assert_says(reply, &error);
                    self.worker().forget(context);
                    return Err(values::problem(&error));
                }
                // It would be let go, or answered, when the next attempt has ended. This client does not wait for that.
                (Fate::Paused, Answered::Failed(error)) => {
                    self.worker().forget(context);
                    return Err(values::problem(&error));
                }
                (Fate::Paused, Answered::Pending) => self.envoy.wait(),
                // Out of patience: a client comes again.
                (Fate::Answered(reply), Answered::Pending) => {
                    agreement::assert_says(reply, &out_of_patience(&replica, now));
                    self.worker().forget(context);
                    request = None;
                }
                (Fate::Arriving, _) => unreachable!("it has come"),
                (Fate::Paused, Answered::Ready(_)) => panic!("held back although there is a credential"),
                (Fate::Answered(reply), Answered::Ready(_)) => {
                    panic!("answered although there is a credential: {reply:?}")
                }
                (Fate::Forwarded, Answered::Pending | Answered::Failed(_)) => {
                    panic!("gone on although there is no credential")
                }
            }
        }
    }
}

impl Host for InEnvoy {
    fn variables(&mut self, document: &str) -> Result<Vec<String>, Problem> {
        self.native.variables(document)
    }

    fn plan(&mut self, document: &str, variables: &Pairs) -> Result<Plan, Problem> {
        self.native.plan(document, variables)
    }

    fn open(&mut self, document: &str, variables: &Pairs, files: &[String]) -> Result<(), Problem> {
        self.envoy.process.borrow_mut().files = files.to_vec();
        let worker = self.envoy.add_worker(variables.to_vec());
        let Some(root) = worker.configure("keyless", configuration(document).as_bytes()) else {
            return Err(refusal(&self.envoy));
        };
        self.opened = Some(Opened {
            root,
            document: document.to_owned(),
            variables: values::variables(variables),
            given: BTreeMap::new(),
            rejections: Vec::new(),
        });
        Ok(())
    }

    fn credential(&mut self) -> Result<Credential, Problem> {
        self.envoy.next_turn();
        self.settled()
    }

    fn renew(&mut self) -> Result<Credential, Problem> {
        self.envoy.next_turn();
        self.tick();
        self.envoy.progress();
        while self.replica().busy() {
            self.envoy.wait();
            self.envoy.progress();
        }
        self.settled()
    }

    fn reject(&mut self, generation: u64) {
        self.envoy.next_turn();
        // Of a credential that no request had, no API can say anything.
        let Some(context) = self.opened().given.get(&generation).copied() else { return };
        let rejection = Rejection::new(&self.envoy.process.borrow(), generation);
        self.opened.as_mut().expect("an open connection").rejections.push(rejection);
        self.worker().respond(context, 401);
    }

    fn status(&mut self) -> Status {
        values::status(&self.replica(), self.now())
    }

    fn close(&mut self) -> Vec<String> {
        let Status { renewals, failures, .. } = self.status();
        let mut left = Vec::new();
        let process = self.envoy.process.borrow();
        for (name, counted) in [("renewals", renewals), ("failures", failures)] {
            let shown = process.metrics.value(&format!("keyless.keyless.{name}"));
            // Nothing ever happens to a static key.
            if shown != counted && !process.data.is_empty() {
                left.push(format!("Envoy's metrics show {shown} {name}, not {counted}"));
            }
        }
        for line in process.log.iter().filter(|line| line.text.to_ascii_uppercase().contains(MARK)) {
            left.push(format!("a secret is shown in Envoy's log: {}", line.text));
        }
        drop(process);
        let pages = self.worker().pages();
        if pages > MOST_PAGES {
            left.push(format!("the filter has {pages} pages of memory, more than {MOST_PAGES}"));
        }
        left
    }

    fn now(&self) -> Now {
        self.envoy.process.borrow().time.now()
    }

    fn pass(&mut self, ms: u64) {
        let process = &mut *self.envoy.process.borrow_mut();
        process.time.pass_to(process.time.now().monotonic_ms + ms, &process.world.disk);
    }

    fn shift_wall(&mut self, ms: i64) {
        self.envoy.process.borrow_mut().time.shift_wall(ms);
    }

    fn later(&mut self, ms: u64, change: Change) {
        self.envoy.process.borrow_mut().time.later(ms, change);
    }
}

/// What the operator writes for the plugin.
pub(super) fn configuration(document: &str) -> String {
    let clusters = json!({"exchange_cluster": "exchange", "identity_cluster": "identity"});
    let mut configuration = clusters;
    configuration["connection"] = document.into();
    configuration.to_string()
}

/// Why the filter did not take the configuration, as it says in Envoy's log.
pub(super) fn refusal(envoy: &Envoy) -> Problem {
    let process = envoy.process.borrow();
    let line = process.log.last().filter(|line| line.level == ERROR).expect("a refusal is told");
    let told = line.text.strip_prefix("keyless: ").and_then(|told| told.split_once(": "));
    let (code, message) = told.expect("`keyless: CODE: MESSAGE`");
    let known = Code::ALL.iter().find(|known| known.as_str() == code).expect("a known code");
    Problem {
        kind: values::kind(known.kind()).to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        retry_after_ms: None,
    }
}

/// What a request is told that has waited for as long as the filter lets it.
fn out_of_patience(machine: &Machine, now: Now) -> Error {
    machine.status(now).last_error.cloned().unwrap_or_else(|| {
        let message = "the request waited for 15 s, and no credential is there yet; ask again";
        Error::new(Code::NotYet, message).retry_after(Some(1_000))
    })
}
