//! Calls the provider as one component calls another, and gives calls up.

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/async", "wit"],
        world: "keyless:caller/caller",
        features: ["async-provider"],
        generate_all,
    });

    export!(Caller with_types_in self);

    use super::Caller;
}

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use bindings::keyless::credentials::types::{Credential, Error};
use bindings::keyless::credentials_async::credential_provider::Connection;

struct Caller;

type Asking<'c> = Pin<Box<dyn Future<Output = Result<Credential, Error>> + 'c>>;

impl bindings::Guest for Caller {
    async fn overtaken(document: String) -> Result<u64, String> {
        let connection = open(document).await?;
        let (first, second) = (waiting(&connection).await?, waiting(&connection).await?);
        drop(first);
        generation(second.await)
    }

    async fn abandoned(document: String) -> Result<u64, String> {
        let connection = open(document).await?;
        drop(waiting(&connection).await?);
        generation(connection.credential().await)
    }

    async fn thinned(document: String) -> Result<u64, String> {
        let connection = open(document).await?;
        let mut kept = Vec::new();
        for number in 0..8 {
            let asking = waiting(&connection).await?;
            kept.push((number % 2 == 1).then_some(asking));
        }
        let mut last = Err("nobody was left".to_owned());
        for asking in kept.into_iter().flatten() {
            last = generation(asking.await);
        }
        last
    }
}

async fn open(document: String) -> Result<Connection, String> {
    Connection::open(document, Vec::new()).await.map_err(code)
}

/// A call that has begun and has no answer yet.
async fn waiting(connection: &Connection) -> Result<Asking<'_>, String> {
    let mut asking: Asking<'_> = Box::pin(connection.credential());
    let answered = poll_fn(|context| Poll::Ready(asking.as_mut().poll(context).is_ready())).await;
    if answered { Err("it was answered at once".to_owned()) } else { Ok(asking) }
}

fn generation(answer: Result<Credential, Error>) -> Result<u64, String> {
    answer.map(|credential| credential.generation).map_err(code)
}

fn code(error: Error) -> String {
    match error {
        Error::Invalid(problem)
        | Error::Denied(problem)
        | Error::Identity(problem)
        | Error::Rejected(problem)
        | Error::Unavailable(problem) => problem.code,
    }
}
