//! The decision, whatever the form of the question: which credential for this path, or why none.

use std::sync::Arc;
use std::time::Duration;

use http::{Response, StatusCode};

use crate::answer;
use crate::config::{Route, routes};
use crate::connection::{Connection, Connections, Credential, Unavailable};
use crate::keys::HEADERS;
use crate::path;
use crate::pattern::Paths;
use crate::service::Body;

/// How long a question waits for a credential. A gateway that is less patient gives up by itself.
const WAIT: Duration = Duration::from_secs(10);

/// Knows the routes.
pub(super) struct Desk {
    /// The longest prefix first.
    entries: Vec<Entry>,
}

struct Entry {
    prefix: String,
    paths: Option<Paths>,
    connection: Arc<dyn Connection>,
}

/// Why a request must not be forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Denial {
    /// The gateway's operator does not want it.
    Forbidden { code: &'static str, message: &'static str },
    /// The question itself cannot be understood.
    Unclear { code: &'static str, message: &'static str },
    /// There is no credential now.
    Unavailable(Unavailable),
}

impl Desk {
    pub(super) fn new(connection: Option<&str>, written: &[Route], connections: &Connections) -> Self {
        let mut entries: Vec<_> = routes(connection, written)
            .into_iter()
            .filter_map(|route| {
                let connection = Arc::clone(connections.get(&route.connection)?);
                Some(Entry {
                    prefix: route.prefix.unwrap_or_default(),
                    paths: route.paths.as_deref().map(Paths::new),
                    connection,
                })
            })
            .collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.prefix.len()));
        Self { entries }
    }

    /// The connection for the path that a client asked for.
    ///
    /// # Errors
    /// 403 when no route has it, when its allow-list does not have it, and when servers could understand it differently.
    pub(super) fn connection(&self, path: &str) -> Result<&Arc<dyn Connection>, Denial> {
        path::check(path).map_err(|path::Ambiguous(message)| Denial::forbidden("path-ambiguous", message))?;
        let found = self.entries.iter().find_map(|entry| {
            let rest = path.strip_prefix(entry.prefix.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((entry, rest))
        });
        let (entry, rest) =
            found.ok_or(Denial::forbidden("route-unknown", "no route of this listener has this path"))?;
        if entry.paths.as_ref().is_some_and(|paths| !paths.allow(rest)) {
            return Err(Denial::forbidden(
                "path-not-allowed",
                "this path is not among the allowed ones of its route; if the gateway tells its client's path in a \
                 header, name the header as original_path_header",
            ));
        }
        Ok(&entry.connection)
    }

    /// The credential for the path that a client asked for. `rejected`: the API answered 401 to this generation.
    pub(super) async fn credential(
        &self,
        path: &str,
        rejected: Option<u64>,
    ) -> Result<Arc<Credential>, Denial> {
        let connection = self.connection(path)?;
        match rejected {
            Some(generation) => successor(connection.as_ref(), generation).await,
            None => current(connection.as_ref()).await,
        }
    }
}

/// The credential held, or the first one.
pub(super) async fn current(connection: &dyn Connection) -> Result<Arc<Credential>, Denial> {
    match connection.credential() {
        Some(credential) => Ok(credential),
        None => connection.ready(WAIT).await.map_err(Denial::Unavailable),
    }
}

/// The credential that follows one that the API answered 401 to.
pub(super) async fn successor(connection: &dyn Connection, rejected: u64) -> Result<Arc<Credential>, Denial> {
    connection.reject(rejected);
    let credential = connection.ready(WAIT).await.map_err(Denial::Unavailable)?;
    // A smaller number than the rejected one was given out after a restart.
    if credential.generation() == rejected {
        return Err(Denial::Unavailable(Unavailable {
            code: "credential-rejected".to_owned(),
            message: "the API refused the credential, and there is no other".to_owned(),
            retry_after: None,
        }));
    }
    Ok(credential)
}

/// What is to be removed from the client's request, so that no key of its own reaches the API; nor a cookie, which opens the
/// gateway or something else behind it.
pub(super) fn removed(credential: &Credential) -> impl Iterator<Item = &'static str> {
    let set = |name: &str| credential.headers().iter().any(|(set, _)| set == name);
    HEADERS.into_iter().chain(["cookie"]).filter(move |name| !set(name))
}

impl Denial {
    pub(super) fn forbidden(code: &'static str, message: &'static str) -> Self {
        Self::Forbidden { code, message }
    }

    /// As an answer for the client.
    pub(super) fn response(&self) -> Response<Body> {
        match self {
            Self::Forbidden { code, message } => answer::error(StatusCode::FORBIDDEN, code, message),
            Self::Unclear { code, message } => answer::error(StatusCode::BAD_REQUEST, code, message),
            Self::Unavailable(reason) => answer::unavailable(reason),
        }
    }
}
