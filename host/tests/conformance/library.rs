//! The Rust library, driven by the protocol.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyless::{Connection, CredentialRef, Endpoint, Error, ErrorKind, Grant, Runtime, Variables};
use keyless_small_host::wire::{self, Credential, Header, Outcome, Problem, Status, Warning, line};
use serde_json::{Value, json};

/// How long a caller waits. An attempt ends earlier.
const PATIENCE: Duration = Duration::from_secs(35);

pub(crate) fn serve() {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut driver = Driver { plain: runtime(None).unwrap(), open: HashMap::new() };
    for request in stdin().lock().lines() {
        let request: Value = serde_json::from_str(&request.unwrap()).unwrap();
        let (key, request) = request.as_object().unwrap().iter().next().unwrap();
        let answer = tokio.block_on(driver.answer(key, request));
        let mut out = stdout().lock();
        writeln!(out, "{answer}").unwrap();
        out.flush().unwrap();
    }
}

struct Driver {
    /// Trusts the platform's roots alone.
    plain: Runtime,
    open: HashMap<String, Connection>,
}

impl Driver {
    async fn answer(&mut self, key: &str, request: &Value) -> String {
        match key {
            "hello" => {
                let component = self.plain.component_info().sha256.clone();
                json!({"name": "keyless for Rust 0.1.0", "component": component}).to_string()
            }
            "variables" => {
                let given = self.plain.variables(request["document"].as_str().unwrap()).await;
                super::plan::variables(given)
            }
            "plan" => {
                let given = self.plain.plan(request["document"].as_str().unwrap(), &variables(request)).await;
                super::plan::plan(given)
            }
            "open" => line(&outcome(self.open(request).await)),
            "credential" => line(&outcome(self.credential(request).await.map(|held| credential(&held)))),
            "renew" => line(&outcome(self.renew(request).await.map(|held| credential(&held)))),
            "together" => self.together(request).await,
            "reject" => {
                self.connection(request).unwrap().reject(request["generation"].as_u64().unwrap());
                line(&json!({"ok": null}))
            }
            "status" => line(&Outcome::Ok(status(self.connection(request).unwrap().status()))),
            "close" => {
                // A clone: the one that is left is asked again, and has to know.
                match self.connection(request).cloned() {
                    Some(connection) => line(&outcome(connection.close().await)),
                    None => line(&json!({"ok": null})),
                }
            }
            other => json!({"unsupported": other}).to_string(),
        }
    }
}

impl Driver {
    async fn open(&mut self, request: &Value) -> Result<(), Error> {
        let document = request["document"].as_str().unwrap();
        let own = match request["ca-file"].as_str() {
            Some(path) => Some(runtime(Some(path))?),
            None => None,
        };
        let runtime = own.as_ref().unwrap_or(&self.plain);
        let variables = variables(request);
        let grant = match &request["grant"] {
            Value::Null => Grant::for_plan(&runtime.plan(document, &variables).await?),
            grant => {
                let names = variables.names().fold(Grant::none(), Grant::variable);
                let files = grant["files"].as_array().unwrap().iter();
                let names = files.fold(names, |grant, file| grant.file(file.as_str().unwrap()));
                let endpoints = grant["endpoints"].as_array().unwrap().iter();
                endpoints.fold(names, |grant, endpoint| {
                    let text = |name: &str| endpoint[name].as_str().unwrap();
                    grant.endpoint(Endpoint::new(text("method"), text("url")))
                })
            }
        };
        let connection = runtime.open(document, variables, grant).await?;
        self.open.insert(request["name"].as_str().unwrap().to_owned(), connection);
        Ok(())
    }

    fn connection(&self, request: &Value) -> Option<&Connection> {
        self.open.get(request["name"].as_str().unwrap())
    }

    async fn credential(&self, request: &Value) -> Result<CredentialRef, Error> {
        self.connection(request).unwrap().attempt(PATIENCE).await
    }

    /// The task of the connection renews by itself: this waits until it has tried.
    async fn renew(&self, request: &Value) -> Result<CredentialRef, Error> {
        let connection = self.connection(request).unwrap();
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let due = connection.status().next_attempt_at.is_some_and(|at| at <= SystemTime::now());
            let busy = matches!(connection.status().phase.as_str(), "acquiring" | "renewing");
            if !(due || busy) || tokio::time::Instant::now() > until {
                return connection.attempt(PATIENCE).await;
            }
            // The library tells of credentials and not of attempts: there is nothing to wait for.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn together(&self, request: &Value) -> String {
        let callers = request["callers"].as_u64().unwrap();
        let connection = self.connection(request).unwrap();
        let callers: Vec<_> = (0..callers)
            .map(|_| {
                let connection = connection.clone();
                tokio::spawn(async move { connection.attempt(PATIENCE).await })
            })
            .collect();
        let mut answers = Vec::new();
        for caller in callers {
            answers.push(match caller.await.unwrap() {
                Ok(credential) => credential.generation().to_string(),
                Err(error) => line(&outcome::<()>(Err(error))),
            });
        }
        format!("{{\"ok\":[{}]}}", answers.join(","))
    }
}

fn runtime(ca_file: Option<&str>) -> Result<Runtime, Error> {
    let builder = Runtime::builder();
    match ca_file {
        Some(path) => builder.ca_certificates(fs::read(path).unwrap()).build(),
        None => builder.build(),
    }
}

fn variables(request: &Value) -> Variables {
    let mut variables = Variables::new();
    for pair in request["variables"].as_array().unwrap() {
        variables.set(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
    }
    variables
}

fn outcome<T>(given: Result<T, Error>) -> Outcome<T> {
    match given {
        Ok(value) => Outcome::Ok(value),
        Err(error) => Outcome::Err(wire_error(error)),
    }
}

fn wire_error(error: Error) -> wire::Error {
    let problem = Problem {
        code: error.code.into_owned(),
        message: error.message,
        retry_after_ms: error.retry_after.map(|time| u64::try_from(time.as_millis()).unwrap()),
    };
    match error.kind {
        ErrorKind::Invalid => wire::Error::Invalid(problem),
        ErrorKind::Denied => wire::Error::Denied(problem),
        ErrorKind::Identity => wire::Error::Identity(problem),
        ErrorKind::Rejected => wire::Error::Rejected(problem),
        _ => wire::Error::Unavailable(problem),
    }
}

fn credential(held: &CredentialRef) -> Credential {
    Credential {
        headers: held
            .headers()
            .map(|(name, value)| Header { name: name.to_owned(), value: value.to_owned() })
            .collect(),
        base_url: held.base_url().to_owned(),
        generation: held.generation(),
        renew_at: held.renew_at().map(millis),
        expires_at: held.expires_at().map(millis),
    }
}

fn status(given: keyless::Status) -> Status {
    Status {
        phase: given.phase.as_str(),
        generation: given.generation,
        renewals: given.renewals,
        failures: given.failures,
        failures_in_a_row: given.failures_in_a_row,
        next_attempt_at: given.next_attempt_at.map(millis),
        expires_at: given.expires_at.map(millis),
        last_error: given.last_error.map(wire_error),
        warnings: given
            .warnings
            .into_iter()
            .map(|warning| Warning { code: warning.code, message: warning.message })
            .collect(),
    }
}

fn millis(moment: SystemTime) -> u64 {
    u64::try_from(moment.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
