//! All listeners together: opened, changed while they are open, and brought to their end.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::config::{Access, Address, Config};
use crate::connection::Connections;
use crate::listen::{Bound, Counters, Door, Guard, Handler, Sockets, Workers, bind, set_mode};
use crate::network::Network;
use crate::ops::{Board, Listening, Ops};
use crate::service::Service;
use crate::traces::{Recorder, Traces};
use crate::{Fault, authz, endpoint, proxy, sds};

/// Operators' tools ask it every few seconds: nothing to keep a record of.
const OPS: &str = "ops";

/// The listeners of a configuration, at work. Dropping it closes them at once; [`drain`](Self::drain) does so politely.
pub struct Gateway {
    upstreams: Arc<proxy::Upstreams>,
    sockets: Sockets,
    doors: BTreeMap<Place, Door>,
    directories: sds::Directories,
    /// What is no longer in the configuration and still has connections.
    leaving: JoinSet<()>,
    /// What `[ops]` shows.
    board: Arc<Board>,
    /// What happened to the requests of each proxy, by its name as in `proxy.openai`.
    passages: BTreeMap<String, Arc<proxy::Counters>>,
    /// Started with the first listener.
    workers: Option<Arc<Workers>>,
    /// Where spans of requests go.
    traces: Option<Traces>,
}

/// A listener that the configuration asks for.
pub(crate) struct Listener<'a> {
    /// As between the brackets of the file: `proxy.openai`.
    pub(crate) name: String,
    pub(crate) listen: &'a Address,
    pub(crate) access: &'a Access,
    pub(crate) service: Arc<dyn Service>,
}

/// What tells listeners apart. Port 0 may be asked for several times.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place(Address, Option<String>);

impl Gateway {
    /// Serves nothing yet. `sockets` are those that `systemd:NAME` addresses speak of.
    #[must_use]
    pub fn new(network: Arc<dyn Network>, sockets: Sockets) -> Self {
        Self {
            upstreams: Arc::new(proxy::Upstreams::new(network)),
            sockets,
            doors: BTreeMap::new(),
            directories: sds::Directories::default(),
            leaving: JoinSet::new(),
            board: Arc::new(Board::new()),
            passages: BTreeMap::new(),
            workers: None,
            traces: None,
        }
    }

    /// Requests are recorded there, but for those of `[ops]`. To be called before anything is served.
    #[must_use]
    pub fn with_traces(mut self, traces: Traces) -> Self {
        self.traces = Some(traces);
        self
    }

    /// Serves this configuration from now on, with these connections. Listeners that stay where they are keep their
    /// connections; those that are gone accept nothing more and bring what is under way to its end.
    ///
    /// Must be called on a tokio runtime, which accepts connections. They are served by threads of the gateway's own.
    ///
    /// # Errors
    /// When something of it cannot work, and then nothing has changed: `serve-config`, `serve-nothing`, `bearer-file`,
    /// `listen-failed`, `listen-in-use`, `listen-systemd`, `sds-directory`.
    pub fn apply(&mut self, config: &Config, connections: &Connections) -> Result<(), Fault> {
        config.check(&connections.keys().cloned().collect())?;
        for name in config.proxy.keys() {
            self.passages.entry(format!("proxy.{name}")).or_default();
        }
        // Everything that can fail comes first.
        let mut staged: BTreeMap<Place, (Option<Bound>, Handler)> = BTreeMap::new();
        let mut kept = Vec::new();
        for listener in self.listeners(config, connections)? {
            let place = Place::of(&listener);
            if let Some((_, first)) = staged.get(&place) {
                return Err(Fault::new(
                    "serve-config",
                    format!("[{}] and [{}] listen on {}", first.name, listener.name, listener.listen),
                    "give each an address of its own",
                ));
            }
            let known = self.doors.get(&place);
            let bound = match known {
                Some(_) => None,
                None => Some(bind(listener.listen, listener.access, &self.sockets)?),
            };
            let counters = known.map(Door::handler).filter(|handler| handler.name == listener.name);
            let handler = Handler {
                guard: Guard::new(listener.access, listener.listen)?,
                service: listener.service,
                counters: counters.map_or_else(Arc::<Counters>::default, |known| Arc::clone(&known.counters)),
                recorder: (listener.name != OPS).then(|| Recorder::new(&listener.name, self.traces.clone())),
                name: listener.name,
            };
            if known.is_some() {
                kept.push((listener.listen, listener.access));
            }
            staged.insert(place, (bound, handler));
        }
        let directories = sds::prepare(config, connections)?;
        let workers = self.workers()?;
        self.commit(staged, &workers);
        kept.into_iter().for_each(|(address, access)| set_mode(address, access));
        self.directories.keep(directories);
        self.board.show(connections, self.listening());
        Ok(())
    }

    /// Where each listener really is, by its name: port 0 has become a port.
    pub fn addresses(&self) -> impl Iterator<Item = (String, Address)> {
        self.doors.values().map(|door| (door.handler().name.clone(), door.address().clone()))
    }

    /// Accepts nothing more, and returns when everything under way has come to its end. Bound it by a time-out: a streamed
    /// answer may take long.
    pub async fn drain(mut self) {
        for (_, door) in std::mem::take(&mut self.doors) {
            self.leaving.spawn(door.drain());
        }
        while self.leaving.join_next().await.is_some() {}
        self.upstreams.drained().await;
    }

    fn listening(&self) -> Vec<Listening> {
        let doors = self.doors.values().map(|door| (door.handler(), door.address().clone()));
        doors
            .map(|(handler, address)| Listening {
                name: handler.name.clone(),
                address,
                counters: Arc::clone(&handler.counters),
                proxy: self.passages.get(&handler.name).cloned(),
            })
            .collect()
    }

    /// Each kind of listener has its line here.
    fn listeners<'a>(
        &self,
        config: &'a Config,
        connections: &Connections,
    ) -> Result<Vec<Listener<'a>>, Fault> {
        let authz = config.authz.iter().map(|(name, authz)| Listener {
            name: format!("authz.{name}"),
            listen: &authz.listen,
            access: &authz.access,
            service: Arc::new(authz::Authz::new(authz, connections)),
        });
        let proxies = config.proxy.iter().map(|(name, proxy)| {
            let name = format!("proxy.{name}");
            let counters = self.passages.get(&name).cloned().unwrap_or_default();
            let service = Arc::new(proxy::Proxy::new(proxy, connections, &self.upstreams, counters)?);
            Ok(Listener { name, listen: &proxy.listen, access: &proxy.access, service })
        });
        let proxies: Vec<_> = proxies.collect::<Result<_, Fault>>()?;
        let ops = config.ops.iter().map(|ops| Listener {
            name: OPS.to_owned(),
            listen: &ops.listen,
            access: &ops.access,
            service: Arc::new(Ops::new(Arc::clone(&self.board))),
        });
        let endpoints = config.endpoint.iter().map(|(name, endpoint)| Listener {
            name: format!("endpoint.{name}"),
            listen: &endpoint.listen,
            access: &endpoint.access,
            service: Arc::new(endpoint::Endpoint::new(listed(connections, endpoint.connections.as_deref()))),
        });
        let discovery = config.sds.iter().filter_map(|(name, sds)| {
            Some(Listener {
                name: format!("sds.{name}"),
                listen: sds.listen.as_ref()?,
                access: &sds.access,
                service: Arc::new(sds::Discovery::new(listed(connections, sds.connections.as_deref()))),
            })
        });
        Ok(authz.chain(discovery).chain(endpoints).chain(ops).chain(proxies).collect())
    }

    fn workers(&mut self) -> Result<Arc<Workers>, Fault> {
        let workers = match self.workers.take() {
            Some(workers) => workers,
            None => Arc::new(Workers::start().map_err(|reason| {
                Fault::new(
                    "listen-failed",
                    format!("there is no room for a further thread: {reason}"),
                    "raise the limit of threads of this user or container",
                )
            })?),
        };
        Ok(Arc::clone(self.workers.insert(workers)))
    }

    fn commit(&mut self, staged: BTreeMap<Place, (Option<Bound>, Handler)>, workers: &Arc<Workers>) {
        for place in
            self.doors.keys().filter(|place| !staged.contains_key(place)).cloned().collect::<Vec<_>>()
        {
            if let Some(door) = self.doors.remove(&place) {
                tracing::info!(listener = door.handler().name, address = %door.address(), "no longer listening");
                self.leaving.spawn(door.drain());
            }
        }
        for (place, (bound, handler)) in staged {
            match (self.doors.entry(place), bound) {
                (Entry::Occupied(door), _) => door.get().change(handler),
                (Entry::Vacant(free), Some(bound)) => {
                    let address = bound.address(&free.key().0);
                    tracing::info!(listener = handler.name, %address, "listening");
                    free.insert(Door::open(bound, address, handler, workers));
                }
                // What is not open was bound.
                (Entry::Vacant(_), None) => {}
            }
        }
        // Those that have left meanwhile.
        while self.leaving.try_join_next().is_some() {}
    }
}

impl Place {
    fn of(listener: &Listener<'_>) -> Self {
        let any_port = matches!(listener.listen, Address::Tcp(address) if address.port() == 0);
        Self(listener.listen.clone(), any_port.then(|| listener.name.clone()))
    }
}

/// The connections of these names; without names, all.
pub(crate) fn listed(connections: &Connections, names: Option<&[String]>) -> Connections {
    let asked = |name: &String| names.is_none_or(|names| names.contains(name));
    let listed = connections.iter().filter(|(name, _)| asked(name));
    listed.map(|(name, connection)| (name.clone(), Arc::clone(connection))).collect()
}

#[cfg(test)]
mod tests {
    use std::io;

    use http::Uri;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;
    use crate::network::{Connecting, Speaking};

    struct Nowhere;

    impl Network for Nowhere {
        fn connect(&self, _: &Uri, _: Speaking) -> Connecting {
            Box::pin(async { Err(io::ErrorKind::NetworkUnreachable.into()) })
        }
    }

    fn gateway() -> Gateway {
        Gateway::new(Arc::new(Nowhere), Sockets::new())
    }

    fn config(ops: &str) -> Config {
        let tables = serde_json::json!({
            "ops": {"listen": ops},
            "sds": {"x": {"listen": "127.0.0.1:0"}},
        });
        Config::read(tables.as_object().unwrap().clone()).unwrap()
    }

    fn address(gateway: &Gateway) -> String {
        gateway.addresses().next().unwrap().1.to_string()
    }

    async fn ask(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = [0; 512];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn a_change_keeps_connections_and_a_bad_one_changes_nothing() {
        let mut gateway = gateway();
        gateway.apply(&config("127.0.0.1:0"), &Connections::new()).unwrap();
        let listening = address(&gateway);
        let mut stream = TcpStream::connect(&listening).await.unwrap();
        assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));

        gateway.apply(&config("127.0.0.1:0"), &Connections::new()).unwrap();
        assert_eq!(address(&gateway), listening);
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let fault = gateway.apply(&config(&taken.local_addr().unwrap().to_string()), &Connections::new());
        assert_eq!(fault.unwrap_err().code, "listen-in-use");
        assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
        assert!(TcpStream::connect(&listening).await.is_ok());
    }

    #[tokio::test]
    async fn one_address_is_for_one_listener_and_a_socket_gets_its_new_mode() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let config = |mode: &str, other: &str| {
            let listen = format!("unix:{}", path.display());
            let other = format!("unix:{}{other}", path.display());
            let tables = serde_json::json!({
                "ops": {"listen": other},
                "endpoint": {"x": {"listen": listen, "access": {"mode": mode}}},
            });
            Config::read(tables.as_object().unwrap().clone()).unwrap()
        };
        let mut gateway = gateway();
        let fault = gateway.apply(&config("0600", ""), &Connections::new()).unwrap_err();
        assert!(fault.what.contains("[endpoint.x] and [ops] listen on"), "{fault}");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        for wanted in ["0600", "0660"] {
            gateway.apply(&config(wanted, "2"), &Connections::new()).unwrap();
            assert_eq!(mode(), u32::from_str_radix(wanted, 8).unwrap());
        }
    }

    #[tokio::test]
    async fn what_is_gone_accepts_nothing_more() {
        let mut gateway = gateway();
        gateway.apply(&config("127.0.0.1:0"), &Connections::new()).unwrap();
        let listening = address(&gateway);
        let mut stream = TcpStream::connect(&listening).await.unwrap();
        assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
        gateway.drain().await;
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
        assert!(TcpStream::connect(&listening).await.is_err());
    }
}
