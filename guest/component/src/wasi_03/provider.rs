//! `wit/async/provider.wit`: a connection that does its own I/O, for any number of callers at once.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use keyless_engine::{Machine, Variables};

use super::driver::Driver;
use crate::bindings::exports::keyless::credentials_async::credential_provider::{
    Account, Connection as ConnectionHandle, ConnectionPlan, Credential, Error, Guest, GuestConnection,
    Prune, Status,
};
use crate::{Exported, convert};

impl Guest for Exported {
    type Connection = Connection;

    async fn variables(document: String) -> Result<Vec<String>, Error> {
        convert::variables(document)
    }

    async fn plan(document: String, variables: Vec<(String, String)>) -> Result<ConnectionPlan, Error> {
        convert::plan(document, variables)
    }
}

pub(crate) struct Connection(Rc<Driver>);

impl Connection {
    /// A call waits with a handle of its own, whatever becomes of the connection's.
    fn driver(&self) -> Rc<Driver> {
        Rc::clone(&self.0)
    }
}

impl GuestConnection for Connection {
    async fn open(document: String, variables: Vec<(String, String)>) -> Result<ConnectionHandle, Error> {
        let document = convert::Wiped::new(document);
        let machine = Machine::open(&document, &Variables::from_iter(variables)).map_err(convert::error)?;
        Ok(ConnectionHandle::new(Self(Driver::new(machine))))
    }

    async fn credential(&self) -> Result<Credential, Error> {
        self.driver().credential().await
    }

    async fn renew(&self) -> Result<Credential, Error> {
        self.driver().renew().await
    }

    async fn reject(&self, generation: u64) {
        self.driver().reject(generation);
    }

    async fn status(&self) -> Status {
        self.driver().status()
    }

    async fn accounts(&self, prune: Prune) -> Result<Vec<Account>, Error> {
        self.driver().accounts(prune).await
    }

    async fn close(connection: ConnectionHandle) -> Result<(), Error> {
        // Its task gives up what is left when this ends, and there is nothing left then.
        let connection: Self = connection.into_inner();
        connection.driver().close().await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver().end();
    }
}
