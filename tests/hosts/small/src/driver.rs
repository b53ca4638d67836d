//! Lets `keyless conformance` drive the small host: one JSON object per line, each way.

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::sync::Arc;

use keyless_machine::CREDENTIAL_MACHINE;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;
use wasmtime::error::Context as _;
use wasmtime::{Config, Engine, OptLevel, RegallocAlgorithm, Result};

use crate::bindings::exports::keyless::credentials::machine as wit;
use crate::grant::Grant;
use crate::host::Connection;
use crate::outside::Outside;
use crate::pure;
use crate::wire::{Credential, Error, Outcome, Problem, Status, line};

/// Makes the outside of a connection: what is granted, and a PEM file of roots to trust.
pub type Make = dyn Fn(Grant, Option<&str>) -> Result<Box<dyn Outside>>;

/// The host, and its connections by name.
pub struct Driver {
    component: Component,
    digest: String,
    make: Box<Make>,
    open: HashMap<String, Arc<Connection>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Open {
    name: String,
    document: String,
    variables: Vec<(String, String)>,
    grant: Option<Requirements>,
    ca_file: Option<String>,
}

#[derive(Deserialize)]
struct Requirements {
    endpoints: Vec<Endpoint>,
    files: Vec<String>,
}

#[derive(Deserialize)]
struct Endpoint {
    method: String,
    url: String,
}

/// Answers line by line until standard input ends.
///
/// # Errors
/// The machine cannot be compiled, or standard output is closed.
pub fn serve(make: Box<Make>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut driver = Driver::new(make)?;
    for request in stdin().lock().lines() {
        let answer = runtime.block_on(driver.answer(&request?));
        let mut out = stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

impl Driver {
    /// Compiles the machine: fast, because it does so at every start.
    ///
    /// # Errors
    /// This machine cannot run compiled WebAssembly.
    pub fn new(make: Box<Make>) -> Result<Self> {
        let mut config = Config::new();
        config
            .cranelift_opt_level(OptLevel::None)
            .cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
        let component = Component::new(&Engine::new(&config)?, CREDENTIAL_MACHINE)?;
        let digest = Sha256::digest(CREDENTIAL_MACHINE).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { component, digest, make, open: HashMap::new() })
    }

    /// One request, one answer.
    pub async fn answer(&mut self, request: &str) -> String {
        let request = serde_json::from_str::<Value>(request).unwrap_or_default();
        let one = request.as_object().and_then(|object| object.iter().next());
        let Some((key, request)) = one else { return json!({"unsupported": ""}).to_string() };
        match self.answer_to(key, request).await {
            Ok(answer) => answer,
            Err(error) => line(&Outcome::<()>::Err(Error::Unavailable(Problem {
                code: "host-failed".to_owned(),
                message: format!("{error:#}"),
                retry_after_ms: None,
            }))),
        }
    }

    async fn answer_to(&mut self, key: &str, request: &Value) -> Result<String> {
        Ok(match key {
            "hello" => json!({"name": "keyless small host 0.1.0", "component": self.digest}).to_string(),
            "variables" => pure::variables(&self.component, request)?,
            "plan" => pure::plan(&self.component, request)?,
            "replay" => pure::replay(&self.component, request)?,
            "open" => self.open(request)?,
            "credential" => line(&credential(self.connection(request)?.credential().await?)),
            "renew" => line(&credential(self.connection(request)?.renew().await?)),
            "together" => self.together(request).await?,
            "reject" => {
                let generation = request["generation"].as_u64().context("`generation` is a number")?;
                self.connection(request)?.reject(generation)?;
                line(&Outcome::Ok(()))
            }
            "status" => line(&Outcome::Ok(Status::from(self.connection(request)?.status()?))),
            "close" => line(&match self.connection(request)?.close().await? {
                Ok(()) => Outcome::Ok(()),
                Err(left) => Outcome::Err(left.into()),
            }),
            other => json!({"unsupported": other}).to_string(),
        })
    }

    fn open(&mut self, request: &Value) -> Result<String> {
        let Open { name, document, variables, grant, ca_file } = Open::deserialize(request)?;
        let Requirements { endpoints, files } = match grant {
            Some(grant) => grant,
            // All that the plan requires. A document without a plan does not open either.
            None => {
                let plan: Value = serde_json::from_str(&pure::plan(&self.component, request)?)?;
                if plan.get("err").is_some() {
                    return Ok(plan.to_string());
                }
                Requirements::deserialize(
                    plan.pointer("/ok/requirements").context("a plan has requirements")?,
                )?
            }
        };
        let endpoints = endpoints.into_iter().map(|endpoint| (endpoint.method, endpoint.url)).collect();
        let outside = (self.make)(Grant { endpoints, files }, ca_file.as_deref())?;
        Ok(match Connection::open(&self.component, &document, &variables, outside)? {
            Ok(connection) => {
                self.open.insert(name, connection);
                line(&Outcome::Ok(()))
            }
            Err(error) => line(&Outcome::<()>::Err(error.into())),
        })
    }

    async fn together(&self, request: &Value) -> Result<String> {
        let callers = request["callers"].as_u64().context("`callers` is a number")?;
        let connection = self.connection(request)?;
        let callers: Vec<_> = (0..callers)
            .map(|_| {
                let connection = Arc::clone(connection);
                tokio::spawn(async move { connection.credential().await })
            })
            .collect();
        let mut answers = Vec::new();
        for caller in callers {
            answers.push(match caller.await?? {
                Ok(credential) => credential.generation.to_string(),
                Err(error) => line(&Outcome::<()>::Err(error.into())),
            });
        }
        Ok(format!("{{\"ok\":[{}]}}", answers.join(",")))
    }

    fn connection(&self, request: &Value) -> Result<&Arc<Connection>> {
        let name = request["name"].as_str().context("`name` is a text")?;
        self.open.get(name).with_context(|| format!("no connection is called `{name}`"))
    }
}

fn credential(given: Result<wit::Credential, wit::Error>) -> Outcome<Credential> {
    match given {
        Ok(credential) => Outcome::Ok(credential.into()),
        Err(error) => Outcome::Err(error.into()),
    }
}
