//! Envoys for tests: one connection, a token endpoint that answers as it is told, and so many workers.

use keyless_scenarios::scenario::Scenario;
use keyless_scenarios::scenario::traffic::Entry;
use keyless_scenarios::tables;
use keyless_scenarios::world::World;
use serde_json::{Value, json};

use super::agreement;
use super::envoy::Envoy;
use super::host::configuration;
use super::streams::{Fate, Reply, Stream};

pub(super) struct Stage {
    pub(super) envoy: Envoy,
    pub(super) world: World,
    pub(super) document: String,
}

/// A request: its worker's place among them, and its number there.
pub(super) type Request = (usize, u32);

impl Stage {
    /// `answers`: what the endpoint does with one request after the other; `traffic.json` without the requests.
    pub(super) fn new(workers: usize, answers: &[Value]) -> Self {
        let mut stage = Self::of(&scenario(answers));
        for _ in 0..workers {
            stage.add_worker();
        }
        stage
    }

    /// Without a worker yet.
    pub(super) fn of(scenario: &Scenario) -> Self {
        let world = World::new(scenario).unwrap();
        let (_, plan) = keyless_engine::plan(&scenario.document, &[].into_iter().collect()).unwrap();
        let endpoints = plan.requirements.endpoints.into_iter();
        world.script().plan(endpoints.map(|endpoint| (endpoint.method.to_owned(), endpoint.url)).collect());
        let envoy = Envoy::new(world.clone());
        envoy.process.borrow_mut().files = scenario.files.keys().cloned().collect();
        Self { envoy, world, document: scenario.document.clone() }
    }

    /// Another worker with the connection.
    pub(super) fn add_worker(&mut self) {
        let configuration = configuration(&self.document);
        let root = self.envoy.add_worker(Vec::new()).configure("keyless", configuration.as_bytes());
        root.expect("the filter takes the configuration");
    }

    /// Milliseconds since the start.
    pub(super) fn elapsed_ms(&self) -> u64 {
        self.envoy.now() - self.world.start.monotonic_ms
    }

    /// A request comes to that worker.
    pub(super) fn request(&mut self, worker: usize) -> Request {
        let root = self.envoy.workers[worker].roots()[0];
        (worker, self.envoy.workers[worker].request(root, agreement::request()))
    }

    pub(super) fn stream(&self, (worker, context): Request) -> &Stream {
        self.envoy.workers[worker].stream(context)
    }

    pub(super) fn is_paused(&self, request: Request) -> bool {
        matches!(self.stream(request).fate, Fate::Paused)
    }

    /// The credential with which the request has gone on.
    pub(super) fn credential(&self, request: Request) -> Option<String> {
        let stream = self.stream(request);
        let gone_on = matches!(stream.fate, Fate::Forwarded);
        gone_on.then(|| agreement::credential(stream))
    }

    /// What the filter has answered the request.
    pub(super) fn reply(&self, request: Request) -> Option<&Reply> {
        match &self.stream(request).fate {
            Fate::Answered(reply) => Some(reply),
            _ => None,
        }
    }

    /// Requests that the endpoint has got.
    pub(super) fn exchanges(&self) -> usize {
        self.world.script().arrived()
    }

    /// Of the one plugin.
    pub(super) fn metric(&self, name: &str) -> u64 {
        self.envoy.process.borrow().metrics.value(&format!("keyless.keyless.{name}"))
    }

    /// The endpoint got what it had to, and nothing else.
    pub(super) fn finish(self) {
        assert_eq!(self.world.script().finish(), Vec::<String>::new());
    }
}

/// A projected token, exchanged.
pub(super) fn scenario(answers: &[Value]) -> Scenario {
    let mut scenario = tables::plain_exchange();
    let request = scenario.traffic.remove(0).request;
    let entry = |answer: &Value| {
        let mut entry = json!({"request": "as before"});
        entry.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
        serde_json::from_value::<Entry>(entry).unwrap()
    };
    scenario.traffic = answers.iter().map(entry).collect();
    if let Some(first) = scenario.traffic.first_mut() {
        first.request = request;
    }
    scenario
}

/// An hour's token of that name, after half a second.
pub(super) fn issues(token: &str) -> Value {
    issues_for(3_600, token)
}

pub(super) fn issues_for(seconds: u64, token: &str) -> Value {
    let body = json!({
        "access_token": token,
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": seconds,
    });
    json!({"response": {"status": 200, "json": body}, "after": 0.5})
}

/// The same for every request until that moment, in seconds.
pub(super) fn until(seconds: u64, mut answer: Value) -> Value {
    answer["until"] = seconds.into();
    answer
}
