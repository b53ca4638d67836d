//! The application: it calls the API all the time, the way a program that embeds the library does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keyless::Connection;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::client::Client;

/// Between two calls.
const PACE: Duration = Duration::from_millis(25);

const PATIENCE: Duration = Duration::from_secs(10);

/// Calls going on in the background.
pub(super) struct Traffic {
    counts: watch::Receiver<Counts>,
    failure: Arc<Mutex<Option<String>>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    calls: u64,
    recovered: u64,
}

enum Outcome {
    Done,
    Recovered,
    Failed(String),
}

impl Traffic {
    pub(super) fn start(connection: Connection, client: Client) -> Self {
        let (counter, counts) = watch::channel(Counts::default());
        let (stop, stopped) = watch::channel(false);
        let failure = Arc::new(Mutex::new(None));
        let first = Arc::clone(&failure);
        let task = tokio::spawn(async move {
            let mut pace = interval(PACE);
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !*stopped.borrow() {
                pace.tick().await;
                let outcome = call(&connection, &client).await;
                counter.send_modify(|counts| {
                    counts.calls += 1;
                    counts.recovered += u64::from(matches!(outcome, Outcome::Recovered));
                });
                if let Outcome::Failed(reason) = outcome {
                    first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
                }
            }
        });
        Self { counts, failure, stop, task }
    }

    pub(super) fn calls(&self) -> u64 {
        self.counts.borrow().calls
    }

    /// Calls that were answered 401 and worked when sent again.
    pub(super) fn recovered(&self) -> u64 {
        self.counts.borrow().recovered
    }

    pub(super) async fn wait_for_recovered(&self, count: u64) {
        let mut counts = self.counts.clone();
        // The task ends only when it is told to.
        let _ended = counts.wait_for(|counts| counts.recovered >= count).await;
    }

    pub(super) fn first_failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        let _panicked = self.task.await;
    }
}

/// One call: the credential, the request, and after a 401 one renewal and one repetition.
async fn call(connection: &Connection, client: &Client) -> Outcome {
    let mut rejected = false;
    loop {
        let credential = match connection.credential() {
            Some(credential) if !rejected => credential,
            _ => match connection.ready(PATIENCE).await {
                Ok(credential) => credential,
                Err(error) => return Outcome::Failed(error.to_string()),
            },
        };
        match client.models(&credential).await {
            Ok(200) if rejected => return Outcome::Recovered,
            Ok(200) => return Outcome::Done,
            Ok(401) if !rejected => {
                connection.reject(credential.generation());
                rejected = true;
            }
            Ok(status) => return Outcome::Failed(format!("the API answered {status}")),
            Err(problem) => return Outcome::Failed(problem.to_string()),
        }
    }
}
