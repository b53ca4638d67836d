//! The far end of the network: checks what arrives against the traffic of a scenario, and answers.

use anyhow::{Context as _, Result, bail, ensure};

use super::ms;
use super::weather::Weather;
use crate::json::Json;
use crate::scenario::Scenario;
use crate::scenario::tokens::Tokens;
use crate::scenario::traffic::{Entry, Fault, Request, RequestOrSame};

/// A request as it came over the wire.
pub struct Arrived {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What becomes of a request.
#[derive(Clone)]
pub struct Reply {
    pub after_ms: u64,
    pub what: What,
}

#[derive(Clone)]
pub enum What {
    Answer { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    Fault(Fault),
    Stall,
}

/// The traffic and how far it is.
pub struct Script {
    entries: Vec<Scene>,
    at: usize,
    /// How many requests the entry at `at` has served.
    served: usize,
    arrived: usize,
    /// What the plan named: method and URL. Nothing else may ever be contacted.
    planned: Vec<(String, String)>,
    failures: Vec<String>,
    /// Every request as it came, and when it was sent.
    seen: Vec<String>,
    /// In place of an order that is kept: every request is answered, this way or that.
    weather: Option<Weather>,
    /// The scenario is over: nobody answers any more.
    over: bool,
}

struct Scene {
    request: Request,
    reply: Reply,
    /// Until when, how many at least, how many at most. None: exactly one.
    span: Option<(u64, usize, usize)>,
}

impl Script {
    pub fn new(scenario: &Scenario) -> Result<Self> {
        let mut entries: Vec<Scene> = Vec::new();
        for (index, entry) in scenario.traffic.iter().enumerate() {
            let before = entries.last().map(|scene| &scene.request);
            let scene = Scene::new(entry, before, &scenario.tokens);
            entries.push(scene.with_context(|| format!("traffic {}", index + 1))?);
        }
        let weather = scenario.weather.map(Weather::new);
        let (planned, failures, seen) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { entries, at: 0, served: 0, arrived: 0, planned, failures, seen, weather, over: false })
    }

    /// The endpoints of the plan, before the first request.
    pub fn plan(&mut self, endpoints: Vec<(String, String)>) {
        self.planned = endpoints;
    }

    /// Requests so far.
    pub fn arrived(&self) -> usize {
        self.arrived
    }

    /// Every request as it came.
    pub fn seen(&mut self) -> Vec<String> {
        std::mem::take(&mut self.seen)
    }

    /// What arrived and should not have, or differs; and at the end, what never came.
    pub fn finish(&mut self) -> Vec<String> {
        let mut failures = std::mem::take(&mut self.failures);
        if self.weather.is_some() {
            return failures;
        }
        while self.at < self.entries.len() {
            failures.extend(self.leave());
        }
        failures
    }

    /// The scenario is over. What is still sent, as a connection that ends may do, is nobody's business.
    pub fn end(&mut self) {
        self.over = true;
    }

    /// A request that was sent `elapsed_ms` after the start has arrived.
    pub fn arrive(&mut self, request: &Arrived, elapsed_ms: u64) -> Reply {
        if self.over {
            return Reply { after_ms: 0, what: What::Fault(Fault::Unreachable) };
        }
        self.arrived += 1;
        self.seen.push(request.line(elapsed_ms));
        if !self.planned.iter().any(|(method, url)| *method == request.method && is_at(&request.url, url)) {
            let Arrived { method, url, .. } = request;
            self.failures.push(format!("the plan does not name {method} {url}"));
        }
        if let Some(weather) = &mut self.weather {
            let like = |scene: &&Scene| {
                scene.request.method == request.method && path(&scene.request.url) == path(&request.url)
            };
            let usual: Vec<_> = self.entries.iter().filter(like).map(|scene| &scene.reply).collect();
            return weather.reply(&usual);
        }
        // An entry with a span is over when its time is.
        while self
            .entries
            .get(self.at)
            .is_some_and(|scene| scene.span.is_some_and(|(until, ..)| elapsed_ms >= until))
        {
            let short = self.leave();
            self.failures.extend(short);
        }
        let number = self.arrived;
        let Some(scene) = self.entries.get(self.at) else {
            self.failures
                .push(format!("request {number} is one too many: {} {}", request.method, request.url));
            return Reply { after_ms: 0, what: What::Fault(Fault::Broken) };
        };
        self.served += 1;
        if let Err(difference) = scene.request.compare(request) {
            self.failures.push(format!("request {number}: {difference}"));
        }
        let reply = scene.reply.clone();
        if scene.span.is_none() {
            (self.at, self.served) = (self.at + 1, 0);
        }
        reply
    }

    /// On to the next entry; what this one still lacked.
    fn leave(&mut self) -> Option<String> {
        let (least, most) = self.entries[self.at].span.map_or((1, 1), |(_, least, most)| (least, most));
        let (number, served) = (self.at + 1, self.served);
        (self.at, self.served) = (self.at + 1, 0);
        (!(least..=most).contains(&served))
            .then(|| format!("traffic {number} served {served} requests, not {least} to {most}"))
    }
}

impl Arrived {
    /// For comparing: the order of headers is a client's own business.
    fn line(&self, elapsed_ms: u64) -> String {
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase()))
            .collect();
        headers.sort();
        let (headers, body) = (headers.join("\n"), String::from_utf8_lossy(&self.body));
        format!("{elapsed_ms} {} {}\n{headers}\n\n{body}", self.method, self.url)
    }
}

fn path(url: &str) -> &str {
    url.split_once('?').map_or(url, |(path, _)| path)
}

/// Whether a request goes to an endpoint: a query is free, and so is a last segment that is `*`.
fn is_at(url: &str, endpoint: &str) -> bool {
    let path = path(url);
    match endpoint.strip_suffix('*') {
        Some(folder) => path.strip_prefix(folder).is_some_and(|last| !last.is_empty() && !last.contains('/')),
        None => path == endpoint,
    }
}

impl Scene {
    fn new(entry: &Entry, before: Option<&Request>, tokens: &Tokens) -> Result<Self> {
        let request = match &entry.request {
            RequestOrSame::Request(request) => {
                ensure!(request.json.is_none() || request.text.is_none(), "`json` or `text`, not both");
                let json = request.json.as_ref().map(|json| filled(json, tokens)).transpose()?;
                let text = request.text.as_ref().map(|text| tokens.fill(text)).transpose()?;
                Request { json, text, ..request.clone() }
            }
            RequestOrSame::Same(_) => before.context("`as before` needs an entry before it")?.clone(),
        };
        let what = match (&entry.response, entry.fault, entry.stalls) {
            (Some(response), None, false) => What::Answer {
                status: response.status,
                headers: response.headers.clone().into_iter().collect(),
                body: match (&response.json, &response.text) {
                    (Some(json), None) => filled(json, tokens)?.compact().into_bytes(),
                    (None, Some(text)) => tokens.fill(&text.text())?.into_bytes(),
                    (None, None) => Vec::new(),
                    _ => bail!("`json` or `text`, not both"),
                },
            },
            (None, Some(fault), false) => What::Fault(fault),
            (None, None, true) => What::Stall,
            _ => bail!("exactly one of `response`, `fault` and `stalls`"),
        };
        ensure!(
            entry.until.is_some() || (entry.at_least.is_none() && entry.at_most.is_none()),
            "`at_least` and `at_most` need `until`"
        );
        let span = entry
            .until
            .map(|until| (ms(until), entry.at_least.unwrap_or(1), entry.at_most.unwrap_or(usize::MAX)));
        Ok(Self { request, reply: Reply { after_ms: ms(entry.after), what }, span })
    }
}

impl Request {
    fn compare(&self, arrived: &Arrived) -> Result<()> {
        ensure!(self.method == arrived.method, "method {}", arrived.method);
        ensure!(self.url == arrived.url, "URL {}", arrived.url);
        let mut headers: Vec<_> =
            arrived.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        headers.sort();
        let length = arrived.body.len().to_string();
        let wanted: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.replace("{length}", &length)))
            .collect();
        ensure!(headers == wanted, "headers {headers:?}, not {wanted:?}");
        if let Some(json) = &self.json {
            let body: Json = serde_json::from_slice(&arrived.body)?;
            ensure!(body == *json, "body {}, not {}", body.compact(), json.compact());
        } else {
            let (body, text) = (String::from_utf8_lossy(&arrived.body), self.text.as_deref().unwrap_or(""));
            ensure!(body == text, "body {body}, not {text}");
        }
        Ok(())
    }
}

fn filled(json: &Json, tokens: &Tokens) -> Result<Json> {
    let failed = std::cell::RefCell::new(None);
    let json = json.map_texts(&|text| {
        tokens.fill(text).unwrap_or_else(|error| {
            *failed.borrow_mut() = Some(error);
            String::new()
        })
    });
    failed.into_inner().map_or(Ok(json), Err)
}
