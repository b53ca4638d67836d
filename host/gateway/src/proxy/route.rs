//! Which request goes where: a prefix, what is allowed behind it, and the upstream.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use http::Uri;
use http::uri::PathAndQuery;
use tokio_util::task::TaskTracker;

use super::limits;
use super::origin::Origin;
use super::refusal::Refusal;
use crate::Fault;
use crate::config;
use crate::connection::{Connection, Connections, Credential};
use crate::network::Network;
use crate::path::Ambiguous;
use crate::pattern::{Models, Paths};

/// The origins in use, with their connections. They outlive a change of the configuration.
pub(crate) struct Upstreams {
    network: Arc<dyn Network>,
    /// WebSockets that are open. Their connections have left HTTP, so nobody else knows of them.
    pub(super) tunnels: TaskTracker,
    origins: Mutex<Vec<Arc<Origin>>>,
}

impl Upstreams {
    pub(crate) fn new(network: Arc<dyn Network>) -> Self {
        Self { network, tunnels: TaskTracker::new(), origins: Mutex::new(Vec::new()) }
    }

    /// Returns when the last WebSocket has ended.
    pub(crate) async fn drained(&self) {
        self.tunnels.close();
        self.tunnels.wait().await;
    }

    fn origin(&self, url: &Uri) -> Option<Arc<Origin>> {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = origins.iter().find(|origin| origin.is_of(url)) {
            return Some(Arc::clone(known));
        }
        let origin = Arc::new(Origin::new(url, &self.network)?);
        origins.push(Arc::clone(&origin));
        Some(origin)
    }
}

/// The routes of a proxy, longest prefix first.
pub(super) struct Routes(Vec<Arc<Route>>);

/// What is behind a prefix.
pub(super) struct Route {
    /// `None`: paths are those of the upstream.
    prefix: Option<String>,
    pub(super) connection: Arc<dyn Connection>,
    upstream: Option<Uri>,
    pub(super) paths: Option<Paths>,
    pub(super) models: Option<Models>,
    pub(super) replay_limit: usize,
    target: ArcSwapOption<Target>,
    pub(super) upstreams: Arc<Upstreams>,
}

/// Where a route leads.
pub(super) struct Target {
    url: Uri,
    pub(super) origin: Arc<Origin>,
}

impl Routes {
    /// # Errors
    /// `serve-config` when a connection is not there.
    pub(super) fn new(
        config: &config::Proxy,
        connections: &Connections,
        upstreams: &Arc<Upstreams>,
    ) -> Result<Self, Fault> {
        let routes = config::routes(config.connection.as_deref(), &config.routes);
        let routes = routes.into_iter().map(|route| Route::new(route, connections, upstreams).map(Arc::new));
        let mut routes: Vec<_> = routes.collect::<Result<_, _>>()?;
        routes.sort_by_key(|route| std::cmp::Reverse(route.prefix().len()));
        Ok(Self(routes))
    }

    /// The route of a path and what follows its prefix: nothing, or from a slash on.
    pub(super) fn find<'a>(&self, path: &'a str) -> Option<(&Arc<Route>, &'a str)> {
        self.0.iter().find_map(|route| {
            let rest = path.strip_prefix(route.prefix())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((route, rest))
        })
    }
}

impl Route {
    fn new(
        route: config::Route,
        connections: &Connections,
        upstreams: &Arc<Upstreams>,
    ) -> Result<Self, Fault> {
        let connection = connections.get(&route.connection).ok_or_else(|| {
            Fault::new(
                "serve-config",
                format!("a route names the connection `{}`, which is not there", route.connection),
                format!("write [connections.{}]", route.connection),
            )
        })?;
        Ok(Self {
            prefix: route.prefix,
            connection: Arc::clone(connection),
            upstream: route.upstream,
            paths: route.paths.as_deref().map(Paths::new),
            models: route.models.as_deref().map(Models::new),
            replay_limit: route.replay_limit.unwrap_or(limits::REPLAY),
            target: ArcSwapOption::empty(),
            upstreams: Arc::clone(upstreams),
        })
    }

    fn prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or_default()
    }

    /// The path at the upstream, with the query as it came: the upstream's own path and what follows the prefix. Without a
    /// prefix, the path as it came, if it is below the upstream's.
    ///
    /// # Errors
    /// When it is not, and when the whole is too long.
    pub(super) fn path(&self, target: &Target, received: &Uri, rest: &str) -> Result<PathAndQuery, Refusal> {
        let base = target.url.path().trim_end_matches('/');
        let mirrored = received.path().strip_prefix(base);
        if self.prefix.is_none() && !mirrored.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Err(Refusal::NotBelow);
        }
        if let Some(whole) = received.path_and_query()
            && (self.prefix.is_none() || (base.is_empty() && rest == received.path()))
        {
            return Ok(whole.clone());
        }
        let slash = if base.is_empty() && rest.is_empty() { "/" } else { "" };
        let query = received.query().map(|query| format!("?{query}")).unwrap_or_default();
        PathAndQuery::from_maybe_shared(bytes::Bytes::from(format!("{base}{slash}{rest}{query}")))
            .map_err(|_| Refusal::Path(Ambiguous("the path is too long")))
    }

    /// Where requests go: to the route's own upstream, or to the API that the credential opens.
    pub(super) fn target(&self, credential: &Credential) -> Option<Arc<Target>> {
        let url = self.upstream.as_ref().unwrap_or_else(|| credential.base_url());
        let known = self.target.load();
        if let Some(known) = known.as_ref().filter(|known| known.url == *url) {
            return Some(Arc::clone(known));
        }
        let target = Arc::new(Target { url: url.clone(), origin: self.upstreams.origin(url)? });
        self.target.store(Some(Arc::clone(&target)));
        Some(target)
    }
}
