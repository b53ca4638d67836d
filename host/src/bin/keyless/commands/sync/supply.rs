//! Connections for the Secret: opened by whoever leads.

use std::collections::BTreeMap;

use keyless::{Changes, Connection};
use keyless_kubernetes::{Content, Held, Supply};

use super::field::Field;
use crate::cli::Cli;
use crate::output::problem::{Class, Problem};
use crate::session::Session;

/// Opens the connection of the command line.
pub(super) struct Connections<'a> {
    cli: &'a Cli,
    /// As it was understood at the start.
    session: Session,
    keys: BTreeMap<String, Field>,
}

impl<'a> Connections<'a> {
    pub(super) fn new(cli: &'a Cli, session: Session, keys: BTreeMap<String, Field>) -> Self {
        Self { cli, session, keys }
    }
}

impl Supply for Connections<'_> {
    type Held = Open;
    type Error = Problem;

    /// Of all the processes that sync one Secret, one leads at a time: together they are one holder, so that a new leader knows
    /// the key that the last one made for its own. Whoever names an instance, in the document or by `--instance`, keeps it.
    async fn open(&mut self, instance: &str) -> Result<Open, Problem> {
        if self.cli.connection.instance.is_none() {
            self.session.variables.set_instance(instance);
        }
        let connection = self.session.open().await?;
        Ok(Open { changes: connection.changes(), connection, keys: self.keys.clone() })
    }
}

/// A connection, followed.
pub(super) struct Open {
    connection: Connection,
    changes: Changes,
    keys: BTreeMap<String, Field>,
}

impl Held for Open {
    type Error = Problem;

    async fn next(&mut self) -> Result<Content, Problem> {
        let credential = self.changes.credential().await.ok_or_else(|| {
            Problem::new(Class::Failed, "connection-closed", "the connection is closed", "start it again")
        })?;
        let values = self.keys.iter().map(|(key, field)| {
            let value = field.of(&credential).ok_or_else(|| missing(key, &credential))?;
            Ok((key.clone(), value))
        });
        Ok(Content {
            values: values.collect::<Result<_, Problem>>()?,
            generation: credential.generation(),
            renew_at: credential.renew_at(),
            expires_at: credential.expires_at(),
        })
    }

    async fn close(self) {
        match self.connection.close().await {
            Ok(()) => tracing::info!("the connection is closed; what it made is taken back"),
            Err(error) => tracing::warn!(code = %error.code, "closing the connection: {}", error.message),
        }
    }
}

fn missing(key: &str, credential: &keyless::Credential) -> Problem {
    let names: Vec<_> = credential.headers().map(|(name, _)| name.to_owned()).collect();
    Problem::invalid(
        "sync-field",
        format!("the key {key} of the Secret wants a header that the credential has not"),
        format!("correct --key; it has {}", names.join(", ")),
    )
}
