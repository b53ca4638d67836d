//! Where a connection is open: in a component instance of its own, or in one that it shares.

use std::sync::{Arc, Mutex, PoisonError};

use tracing::Instrument as _;

use crate::bindings::Status;
use crate::credential::{Credential, wipe};
use crate::instance::{Access, CallError, Instance, Opened};
use crate::runtime::Inner;
use crate::shared::Cohort;
use crate::source::Source;
use crate::{Error, Variables};

/// A connection inside an instance. Whoever fails there is not at home anywhere any more.
pub(crate) enum Home {
    Own(Box<Instance>, Opened),
    Shared(Arc<Lodger>),
}

/// A connection in an instance that others use, too.
pub(crate) struct Lodger {
    cohort: Arc<Cohort>,
    access: Access,
    /// None: closed.
    connection: Mutex<Option<Opened>>,
}

/// What a component is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Question {
    /// The generation that the API refused, as this instance counts.
    pub(crate) rejected: Option<u64>,
    /// What was counted before this instance.
    pub(crate) first: u64,
}

/// What it answers: the credential, or why there is none; and how it stands.
pub(crate) type Answer = (Result<Credential, Error>, Status);

impl Home {
    /// Opens the document: with others, where the runtime is built so and no further component is needed.
    pub(crate) async fn open(
        runtime: &Arc<Inner>,
        access: &Access,
        source: Option<&Arc<Source>>,
        document: &str,
        variables: &Variables,
    ) -> Result<Self, CallError> {
        let (None, Some(house)) = (source, &runtime.house) else {
            return Self::own(Instance::new(runtime, access, source).await?, document, variables).await;
        };
        loop {
            let place = house.place(runtime, access).await?;
            // None: it broke meanwhile.
            let Some(mut turn) = place.turn(access).await else { continue };
            let opened = turn.instance.open(document, variables).await;
            if !matches!(opened, Err(CallError::Broken(_))) {
                turn.end();
            }
            // Whoever is not let in gives the place back.
            let connection = opened.inspect_err(|_| Cohort::leave(&place, None, access))?;
            let connection = Mutex::new(Some(connection));
            return Ok(Self::Shared(Arc::new(Lodger { cohort: place, access: access.clone(), connection })));
        }
    }

    /// Opens the document in an instance that is for nobody else.
    pub(crate) async fn own(
        mut instance: Instance,
        document: &str,
        variables: &Variables,
    ) -> Result<Self, CallError> {
        let connection = instance.open(document, variables).await?;
        Ok(Self::Own(Box::new(instance), connection))
    }

    /// None: somebody else has broken the instance since.
    ///
    /// # Errors
    /// It broke now.
    pub(crate) async fn ask(self, question: Question) -> Result<Option<(Self, Answer)>, Error> {
        match self {
            Self::Own(mut instance, connection) => {
                let answer = ask(&mut instance, connection, question).await?;
                Ok(Some((Self::Own(instance, connection), answer)))
            }
            Self::Shared(lodger) => {
                let asking = Arc::clone(&lodger);
                // In a task of its own: a call that is cut off breaks the instance, and others are in it.
                let asking = async move { asking.ask(question).await }.in_current_span();
                let answer = tokio::spawn(asking).await.unwrap_or_else(|_| Err(Error::closed()))?;
                Ok(answer.map(|answer| (Self::Shared(lodger), answer)))
            }
        }
    }

    /// Lets the component revoke what it minted, where it can.
    pub(crate) async fn close(self) -> Result<(), Error> {
        match self {
            Self::Own(mut instance, connection) => Ok(instance.close(connection).await?),
            Self::Shared(lodger) => {
                let closing = async move { lodger.close().await }.in_current_span();
                tokio::spawn(closing).await.unwrap_or_else(|_| Err(Error::closed()))
            }
        }
    }
}

async fn ask(instance: &mut Instance, connection: Opened, question: Question) -> Result<Answer, Error> {
    if let Some(generation) = question.rejected {
        instance.reject(connection, generation).await?;
    }
    let renewed = match instance.renew(connection).await {
        Ok(mut raw) => {
            let parsed = Credential::parse(&raw, question.first.saturating_add(raw.generation));
            wipe(&mut raw);
            parsed
        }
        Err(CallError::Refused(error)) => Err(error),
        Err(CallError::Broken(error)) => return Err(error),
    };
    Ok((renewed, instance.status(connection).await?))
}

impl Lodger {
    /// None: the instance is gone.
    async fn ask(&self, question: Question) -> Result<Option<Answer>, Error> {
        let Some(connection) = *self.connection() else { return Ok(None) };
        let Some(mut turn) = self.cohort.turn(&self.access).await else { return Ok(None) };
        let answer = ask(&mut turn.instance, connection, question).await?;
        turn.end();
        Ok(Some(answer))
    }

    async fn close(&self) -> Result<(), Error> {
        let Some(connection) = self.connection().take() else { return Ok(()) };
        let Some(mut turn) = self.cohort.turn(&self.access).await else { return Ok(()) };
        let closed = turn.instance.close(connection).await;
        if !matches!(closed, Err(CallError::Broken(_))) {
            turn.end();
        }
        Ok(closed?)
    }

    fn connection(&self) -> std::sync::MutexGuard<'_, Option<Opened>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lodger {
    fn drop(&mut self) {
        let connection = self.connection().take();
        Cohort::leave(&self.cohort, connection, &self.access);
    }
}
