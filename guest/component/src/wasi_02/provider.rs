//! `wit/provider.wit`: a connection that does its own I/O.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use keyless_engine::{Machine, Variables};

use super::driver::Driver;
use crate::bindings::exports::keyless::credentials::credential_provider::{
    Account, Connection as ConnectionHandle, ConnectionPlan, Credential, Error, Guest, GuestConnection,
    Prune, Status,
};
use crate::{Exported, convert};

impl Guest for Exported {
    type Connection = Connection;

    fn variables(document: String) -> Result<Vec<String>, Error> {
        convert::variables(document)
    }

    fn plan(document: String, variables: Vec<(String, String)>) -> Result<ConnectionPlan, Error> {
        convert::plan(document, variables)
    }
}

pub(crate) struct Connection(RefCell<Driver>);

impl GuestConnection for Connection {
    fn open(document: String, variables: Vec<(String, String)>) -> Result<ConnectionHandle, Error> {
        let document = convert::Wiped::new(document);
        let machine = Machine::open(&document, &Variables::from_iter(variables)).map_err(convert::error)?;
        Ok(ConnectionHandle::new(Self(RefCell::new(Driver::new(machine)))))
    }

    fn credential(&self) -> Result<Credential, Error> {
        self.0.borrow_mut().credential()
    }

    fn renew(&self) -> Result<Credential, Error> {
        self.0.borrow_mut().renew()
    }

    fn reject(&self, generation: u64) {
        self.0.borrow_mut().reject(generation);
    }

    fn status(&self) -> Status {
        self.0.borrow().status()
    }

    fn accounts(&self, prune: Prune) -> Result<Vec<Account>, Error> {
        self.0.borrow_mut().accounts(prune)
    }

    fn close(connection: ConnectionHandle) -> Result<(), Error> {
        let connection: Self = connection.into_inner();
        connection.0.into_inner().close()
    }
}
