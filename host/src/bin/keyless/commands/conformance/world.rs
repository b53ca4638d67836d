//! What all checks share: the sandbox, our own runtime, and the list of everything that is secret.

use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};

use keyless::Runtime;
use keyless_sandbox::{Options, Sandbox};

use super::peer::TOKEN_MARK;
use super::report::Fault;

/// The outside world, and whom to ask what is right.
pub(super) struct World {
    pub(super) program: Vec<OsString>,
    pub(super) sandbox: Sandbox,
    pub(super) runtime: Runtime,
    secrets: Mutex<Vec<String>>,
    leaks: Mutex<Vec<String>>,
}

impl World {
    pub(super) async fn new(program: Vec<OsString>, runtime: Runtime) -> Result<Self, Fault> {
        let sandbox = Sandbox::start(Options::default()).await;
        let sandbox = sandbox.map_err(|reason| Fault::new("a sandbox on loopback", reason.to_string()))?;
        let marks = [TOKEN_MARK, "sk-sandbox-", "sk-svcacct-"];
        let secrets = Mutex::new(marks.map(str::to_owned).to_vec());
        Ok(Self { program, sandbox, runtime, secrets, leaks: Mutex::default() })
    }

    /// A fresh identity token. From now on nobody may show it.
    pub(super) fn identity_token(&self) -> Result<String, Fault> {
        let issued = self.sandbox.issue(&self.sandbox.claims());
        let token = issued.map_err(|reason| Fault::new("an identity token", reason.to_string()))?;
        // Its last part tells it from all others; its first is the same for all and no secret.
        let marks = [token.clone(), token.rsplit('.').next().unwrap_or_default().to_owned()];
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).extend(marks);
        Ok(token)
    }

    /// Searches what anybody may see.
    pub(super) fn search(&self, check: &str, place: &str, text: &str) {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let found =
            secrets.iter().filter(|secret| !secret.is_empty()).any(|secret| text.contains(secret.as_str()));
        drop(secrets);
        if found {
            let leak = format!("{place} during `{check}` holds a token");
            self.leaks.lock().unwrap_or_else(PoisonError::into_inner).push(leak);
        }
    }

    /// Where a secret was seen.
    pub(super) fn leaks(&self) -> Vec<String> {
        let mut leaks = self.leaks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        leaks.dedup();
        leaks
    }
}
