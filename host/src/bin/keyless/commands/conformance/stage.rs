//! One check's host: a process of its own, and what is asked of it in every check.

use std::sync::Arc;

use serde_json::{Value, json};

use super::peer::Peer;
use super::report::Fault;
use super::tested::{Surroundings, Tested, cut};
use super::world::World;

/// Why a check ended early.
#[derive(Debug)]
pub(super) enum Stop {
    Fault(Fault),
    /// The host says that it cannot be asked for this.
    Unsupported,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The host of one check.
pub(super) struct Stage {
    pub(super) world: Arc<World>,
    check: &'static str,
    tested: Option<Tested>,
    surroundings: Surroundings,
}

/// An answer of the form `ok` or `err`.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Ok(Value),
    Err { kind: String, code: String, message: String, retry_after_ms: Option<u64> },
}

/// Endpoints, as method and URL, and files.
pub(super) type Granted = (Vec<(String, String)>, Vec<String>);

/// A connection to be opened.
pub(super) struct Open {
    pub(super) document: String,
    pub(super) variables: Vec<(String, String)>,
    /// None: all that is needed.
    pub(super) grant: Option<Granted>,
    pub(super) ca_file: Option<String>,
}

impl Stage {
    pub(super) fn new(world: Arc<World>, check: &'static str) -> Self {
        Self { world, check, tested: None, surroundings: Surroundings::default() }
    }

    /// Has the host started with these variables beside ours.
    pub(super) fn surround(&mut self, surroundings: Surroundings) {
        self.surroundings = surroundings;
    }

    /// The host, which is started when it is first needed.
    pub(super) fn tested(&mut self) -> Result<&mut Tested, Fault> {
        match &mut self.tested {
            Some(tested) => Ok(tested),
            none => Ok(none.insert(Tested::start(&self.world.program, &self.surroundings)?)),
        }
    }

    /// One request, as text, and its answer, as text.
    pub(super) async fn say(&mut self, key: &str, request: &Value) -> Result<String, Stop> {
        let line = format!("{{{}:{request}}}", Value::from(key));
        let answer = self.tested()?.ask(&line).await?;
        if let Ok(value) = serde_json::from_str::<Value>(&answer)
            && value.as_object().is_some_and(|object| object.len() == 1 && object.contains_key("unsupported"))
        {
            return Err(Stop::Unsupported);
        }
        self.search(key, &answer);
        Ok(answer)
    }

    /// One request, and its answer taken apart.
    pub(super) async fn ask(&mut self, key: &str, request: &Value) -> Result<Answer, Stop> {
        let answer = self.say(key, request).await?;
        Ok(Answer::parse(&answer)?)
    }

    /// Opens a connection called `name`.
    pub(super) async fn open(&mut self, name: &str, open: &Open) -> Result<Answer, Stop> {
        let grant = open.grant.as_ref().map(|(endpoints, files)| {
            let endpoints: Vec<_> =
                endpoints.iter().map(|(method, url)| json!({"method": method, "url": url})).collect();
            json!({"endpoints": endpoints, "files": files})
        });
        let request = json!({
            "name": name,
            "document": open.document,
            "variables": open.variables,
            "grant": grant,
            "ca-file": open.ca_file,
        });
        self.ask("open", &request).await
    }

    /// Opens a connection that is understood, and asks for its credential. What is refused when it is opened is an answer too:
    /// a host may look at the grant early.
    pub(super) async fn credential_of(&mut self, name: &str, open: &Open) -> Result<Answer, Stop> {
        match self.open(name, open).await? {
            Answer::Ok(_) => self.ask("credential", &json!({"name": name})).await,
            refused @ Answer::Err { .. } => Ok(refused),
        }
    }

    /// The same of several, asked for before any of them is awaited: a host whose callers wait through an outage takes as long
    /// for all as for one, if it works on several names at a time.
    pub(super) async fn credentials_of(&mut self, opens: &[(&str, Open)]) -> Result<Vec<Answer>, Stop> {
        for (name, open) in opens {
            self.open(name, open).await?.ok()?;
        }
        for (name, _) in opens {
            self.tested()?.tell(&json!({"credential": {"name": name}}).to_string()).await?;
        }
        let mut answers = Vec::new();
        for _ in opens {
            let answer = self.tested()?.answer().await?;
            self.search("credential", &answer);
            answers.push(Answer::parse(&answer)?);
        }
        Ok(answers)
    }

    /// What opens an API is in the credential's headers. Everything else may be shown to anybody.
    fn search(&self, key: &str, answer: &str) {
        if !matches!(key, "credential" | "renew") || !answer.starts_with("{\"ok\":") {
            self.world.search(self.check, &format!("the answer to `{key}`"), answer);
        }
    }

    /// A credential of this generation.
    pub(super) async fn generation(&mut self, key: &str, name: &str, wanted: u64) -> Result<Value, Stop> {
        let answer = self.ask(key, &json!({"name": name})).await?;
        answer.generation(wanted).map_err(Stop::Fault)
    }

    /// Searches what the host has said on standard error, and ends it.
    pub(super) fn end(self) {
        if let Some(tested) = &self.tested {
            self.world.search(self.check, "standard error", &tested.errors());
        }
    }
}

impl Open {
    /// With an identity token from a variable, for the token endpoint at this URL.
    pub(super) fn at(world: &World, token_endpoint: &str) -> Result<Self, Fault> {
        Ok(Self::from_source(&json!({"type": "variable", "variable": "IDENTITY"}), token_endpoint)
            .with_variable("IDENTITY", &world.identity_token()?))
    }

    /// The same for a peer.
    pub(super) fn to(world: &World, peer: &Peer) -> Result<Self, Fault> {
        Self::at(world, &peer.url("/oauth/token"))
    }

    /// With an identity token from elsewhere.
    pub(super) fn from_source(source: &Value, token_endpoint: &str) -> Self {
        let document = json!({
            "source": source,
            "exchange": {
                "type": "openai",
                "identity_provider_id": "idp_conformance",
                "service_account_id": "svc_acct_conformance",
                "token_endpoint": token_endpoint,
            },
        });
        Self { document: document.to_string(), variables: Vec::new(), grant: None, ca_file: None }
    }

    pub(super) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Grants these endpoints and no file.
    pub(super) fn granted<'a>(mut self, endpoints: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let endpoints = endpoints.into_iter().map(|(method, url)| (method.to_owned(), url)).collect();
        self.grant = Some((endpoints, Vec::new()));
        self
    }

    pub(super) fn trusting(mut self, ca_file: impl Into<String>) -> Self {
        self.ca_file = Some(ca_file.into());
        self
    }
}

impl Answer {
    fn parse(line: &str) -> Result<Self, Fault> {
        let expected =
            "`{\"ok\":...}` or `{\"err\":{\"KIND\":{\"code\":...,\"message\":...,\"retry-after-ms\":...}}}`";
        let wrong = || Fault::new(expected, cut(line));
        let value: Value = serde_json::from_str(line).map_err(|_| wrong())?;
        let Value::Object(mut one) = value else { return Err(wrong()) };
        if let (1, Some(value)) = (one.len(), one.remove("ok")) {
            return Ok(Self::Ok(value));
        }
        let Some(Value::Object(error)) = one.remove("err") else { return Err(wrong()) };
        let Some((kind, problem)) = error.into_iter().next() else { return Err(wrong()) };
        let text = |name: &str| problem.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(code), Some(message)) = (text("code"), text("message")) else { return Err(wrong()) };
        Ok(Self::Err {
            kind,
            code,
            message,
            retry_after_ms: problem.get("retry-after-ms").and_then(Value::as_u64),
        })
    }

    /// In one line, without what opens an API.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Ok(value) => match value.get("generation") {
                Some(generation) => format!("a credential of generation {generation}"),
                None => cut(&format!("ok: {value}")),
            },
            Self::Err { kind, code, message, .. } => cut(&format!("{kind}: {code}: {message}")),
        }
    }

    /// It worked.
    pub(super) fn ok(self) -> Result<Value, Fault> {
        match self {
            Self::Ok(value) => Ok(value),
            error @ Self::Err { .. } => Err(Fault::new("it works", error.shown())),
        }
    }

    /// It is a credential of this generation.
    pub(super) fn generation(self, wanted: u64) -> Result<Value, Fault> {
        let shown = self.shown();
        match self {
            Self::Ok(credential) if credential.get("generation").and_then(Value::as_u64) == Some(wanted) => {
                Ok(credential)
            }
            _ => Err(Fault::new(format!("a credential of generation {wanted}"), shown)),
        }
    }

    /// It failed with this kind, and this code if any code is given.
    pub(super) fn failed(&self, kind: &str, code: &str) -> Result<(), Fault> {
        match self {
            Self::Err { kind: its, code: own, .. } if its == kind && (code.is_empty() || own == code) => {
                Ok(())
            }
            _ => {
                let code = if code.is_empty() { String::new() } else { format!(" with the code `{code}`") };
                Err(Fault::new(format!("an error `{kind}`{code}"), self.shown()))
            }
        }
    }
}
