//! The source `custom`: another component gives the identity token.
//!
//! It runs in a store of its own, made anew for every question, under the same limits as the provider, and reaches what
//! its own part of the grant names. The provider sees a function that returns a token; neither sees what the other may.

mod file;
mod imports;

use std::sync::Arc;

use zeroize::Zeroize as _;

pub(crate) use file::{digest, read, same};

use crate::bindings::source::SourcePre;
use crate::grant::SourceGrant;
use crate::instance::{self, Access, State, contained};
use crate::runtime::Inner;
use crate::{Error, Variables};

/// No identity token is longer, and no sentence of an error. What is longer is not carried into the provider.
const LONGEST_ANSWER: usize = 64 << 10;

/// Compiled, linked, and not running.
pub(crate) struct Source {
    runtime: Arc<Inner>,
    pre: SourcePre<State>,
    access: Access,
}

impl Source {
    /// Reads and compiles the component. Blocks for as long as that takes.
    ///
    /// # Errors
    /// `source-component-unreadable`, `-changed`, `-invalid` and `-import-denied`; `grant-endpoint-...`.
    pub(crate) fn load(
        runtime: &Arc<Inner>,
        granted: &SourceGrant,
        variables: &Variables,
    ) -> Result<Self, Error> {
        let (path, grant) = (granted.path(), granted.grant());
        let access = Access::new(runtime, grant)?.with_environment(variables, grant);
        let file = read(path, runtime.root.as_deref())?;
        if let Some(sha256) = granted.sha256() {
            same(path, sha256, &file.sha256)?;
        }
        let invalid = |what: &str, reason: &wasmtime::Error| {
            Error::invalid(
                "source-component-invalid",
                format!(
                    "{path} {what}: {}; build a component that exports keyless:credentials/subject-token-source@0.1.0",
                    crate::component::one_line(reason)
                ),
            )
        };
        let engine = runtime.compiler.engine();
        let component = runtime
            .compiler
            .component(&file.bytes, &file.sha256)
            .map_err(|reason| invalid("is no WebAssembly component", &reason))?;
        imports::check(engine, &component, path, grant)?;
        let linked = imports::linker(engine).and_then(|linker| linker.instantiate_pre(&component));
        let pre =
            linked.and_then(SourcePre::new).map_err(|reason| invalid("gives no identity tokens", &reason))?;
        tracing::info!(path, sha256 = file.sha256, "component of the source loaded");
        Ok(Self { runtime: Arc::clone(runtime), pre, access })
    }

    /// A token, or words for people. The words are the component's, or say how it broke.
    pub(crate) async fn token(&self, audience: Option<&str>) -> Result<String, String> {
        let limit = self.runtime.limits.source;
        let ticking = self.runtime.ticker.tick().map_err(|error| error.message)?;
        let mut store = instance::store(&self.runtime, &self.access, None);
        let call = async {
            let source = self.pre.instantiate_async(&mut store).await?;
            source.keyless_credentials_subject_token_source().call_token(&mut store, audience).await
        };
        let answer = contained(limit, ticking, call).await.map_err(|broken| broken.what)?;
        bounded(answer)
    }
}

fn bounded(answer: Result<String, String>) -> Result<String, String> {
    let length = answer.as_ref().unwrap_or_else(|words| words).len();
    if length <= LONGEST_ANSWER {
        return answer;
    }
    // It may be a token all the same.
    if let Ok(mut text) = answer {
        text.zeroize();
    }
    Err(format!("its answer has {length} bytes, and no identity token is that long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_no_token_stays_outside_the_provider() {
        let long = || "x".repeat(LONGEST_ANSWER + 1);
        assert_eq!(bounded(Ok("token".into())), Ok("token".into()));
        assert_eq!(bounded(Err("why".into())), Err("why".into()));
        assert!(bounded(Ok(long())).unwrap_err().contains("65537 bytes"));
        assert!(bounded(Err(long())).unwrap_err().contains("65537 bytes"));
    }
}
