//! A gateway of one listener, on loopback.

use std::io;
use std::sync::Arc;

use http::Uri;
use keyless_gateway::{Config, Connecting, Connection, Connections, Gateway, Network, Sockets, Speaking};
use serde_json::Value;

use crate::connection::Fake;

/// A gateway that is open while it is kept.
pub(crate) struct Serving {
    pub(crate) gateway: Gateway,
    /// `127.0.0.1:PORT` of its only listener.
    pub(crate) address: String,
}

/// Serves these tables with these connections.
pub(crate) fn serve(tables: Value, connections: &[(&str, &Arc<Fake>)]) -> Serving {
    let mut gateway = Gateway::new(Arc::new(Nowhere), Sockets::new());
    gateway.apply(&config(tables), &named(connections)).unwrap();
    let address = gateway.addresses().next().map(|(_, address)| address.to_string()).unwrap_or_default();
    Serving { gateway, address }
}

impl Serving {
    /// Serves something else from now on.
    pub(crate) fn change(&mut self, tables: Value, connections: &[(&str, &Arc<Fake>)]) {
        self.gateway.apply(&config(tables), &named(connections)).unwrap();
    }

    /// The code with which it is refused to serve this.
    pub(crate) fn refused(&mut self, tables: Value, connections: &[(&str, &Arc<Fake>)]) -> &'static str {
        self.gateway.apply(&config(tables), &named(connections)).unwrap_err().code
    }
}

fn config(tables: Value) -> Config {
    let Value::Object(tables) = tables else { panic!("tables are an object") };
    Config::read(tables).unwrap()
}

fn named(connections: &[(&str, &Arc<Fake>)]) -> Connections {
    let named = connections.iter().map(|(name, fake)| {
        let connection: Arc<dyn Connection> = Arc::<Fake>::clone(fake);
        ((*name).to_owned(), connection)
    });
    named.collect()
}

/// There are no upstreams here.
struct Nowhere;

impl Network for Nowhere {
    fn connect(&self, _: &Uri, _: Speaking) -> Connecting {
        Box::pin(async { Err(io::ErrorKind::NetworkUnreachable.into()) })
    }
}
