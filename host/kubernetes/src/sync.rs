//! The loop: lead, look, get a credential, write it, and see to it that it stays.

use std::convert::Infallible;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::election::{Elector, Lead, Leadership};
use crate::secret::{Put, Standing, Watch, Writer};
use crate::{Cluster, Content, Fault, Identity, ObjectName, Target, Timing, clock};

/// Pauses after failures that pass by themselves, doubled each time.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// The longest sleep without a look at the wall clock, which may be stepped.
const LOOK: Duration = Duration::from_secs(30);

/// Where credentials come from.
pub trait Supply {
    /// A connection that is open.
    type Held: Held;
    /// What ends the whole.
    type Error: From<Fault>;

    /// Opens the connection. Called while this process leads, and only then: what is opened may make a key of its own.
    /// `instance` names the one holder that this is, whichever process leads, and no other holder anywhere.
    ///
    /// # Errors
    /// Ends the whole.
    fn open(&mut self, instance: &str) -> impl Future<Output = Result<Self::Held, Self::Error>>;
}

/// A connection that is open. Dropping it gets no further credential, and takes none back.
pub trait Held {
    /// What ends the whole.
    type Error;

    /// The credential held, at the first call; later ones as they come. Loses nothing when dropped early.
    ///
    /// # Errors
    /// Ends the whole.
    fn next(&mut self) -> impl Future<Output = Result<Content, Self::Error>>;

    /// Takes back what the connection made, where it can.
    fn close(self) -> impl Future<Output = ()>;
}

/// What is kept where, by whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Secret.
    pub target: Target,
    /// By which one is elected.
    pub lease: ObjectName,
    /// How long that lasts.
    pub timing: Timing,
    /// Who this is.
    pub identity: Identity,
    /// What the credentials are made from.
    pub origin: Origin,
    /// Close the connection at the end, although the Secret may still be in use.
    pub close_on_exit: bool,
}

/// What credentials are made from, as it is written beside them. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What the connection is called.
    pub connection: String,
    /// A digest of its settings: with another one the credential is made anew, before it is due.
    pub settings: String,
}

/// Keeps the Secret filled until `stop`; what is held then is given back: the lease, and, if asked for, the credential.
///
/// A credential in the Secret that is ours, untouched and not due is left in place: a new leader makes no other one.
///
/// # Errors
/// What somebody has to act on. Outages pass.
pub async fn sync<S: Supply<Held: Held<Error = S::Error>>>(
    cluster: Cluster,
    settings: Settings,
    supply: &mut S,
    stop: impl Future<Output = ()>,
) -> Result<(), S::Error> {
    let Settings { target, lease, timing, identity, origin, close_on_exit } = settings;
    tracing::info!(secret = %target.secret, %lease, %identity, "standing for election");
    let (elector, leadership) = Elector::new(cluster.clone(), lease, timing, identity);
    let (end, ended) = oneshot::channel();
    let standing = tokio::spawn(elector.run(ended));
    let mut sync = Sync { writer: Writer { cluster, target, origin }, leadership, supply, held: None };
    let result = tokio::select! {
        () = stop => Ok(()),
        Err(error) = sync.run() => Err(error),
    };
    // Before the lease goes: what follows may make a key of its own.
    match sync.held.take() {
        Some(held) if close_on_exit && result.is_ok() => held.close().await,
        held => drop(held),
    }
    drop(end);
    let _ended = standing.await;
    result
}

struct Sync<'a, S: Supply> {
    writer: Writer,
    leadership: watch::Receiver<Leadership>,
    supply: &'a mut S,
    held: Option<S::Held>,
}

impl<S: Supply<Held: Held<Error = S::Error>>> Sync<'_, S> {
    async fn run(&mut self) -> Result<Infallible, S::Error> {
        loop {
            leading(&mut self.leadership).await?;
            let mut leadership = self.leadership.clone();
            tokio::select! {
                Err(error) = self.lead() => return Err(error),
                ended = lost(&mut leadership) => ended?,
            }
            // Who does not lead holds nothing, and makes nothing.
            self.held = None;
        }
    }

    /// While we lead: dropped when we do not any more.
    async fn lead(&mut self) -> Result<Infallible, S::Error> {
        let Self { writer, leadership, supply, held } = self;
        let mut watch = Watch::new(writer.cluster.clone(), writer.target.secret.clone());
        while let Standing::Good(due) = patiently(|| writer.standing()).await? {
            tracing::info!(secret = %writer.target.secret, %due, "the Secret holds a credential that is not due yet");
            tokio::select! {
                () = until(due) => {}
                changed = watch.changed() => changed?,
            }
        }
        patiently(|| async { writer.rehearse(&now(leadership)?).await }).await?;
        let instance = format!("{}.{}", writer.target.secret, now(leadership)?.lease);
        let held = held.insert(supply.open(&instance).await?);
        let mut content = held.next().await?;
        loop {
            let put = patiently(|| async { writer.put(&now(leadership)?, &content).await }).await?;
            if put == Put::Written {
                tracing::info!(secret = %writer.target.secret, generation = content.generation, "the Secret is written");
            }
            tokio::select! {
                next = held.next() => content = next?,
                changed = watch.changed() => changed?,
            }
        }
    }
}

/// Waits until we lead.
async fn leading(leadership: &mut watch::Receiver<Leadership>) -> Result<(), Fault> {
    loop {
        match &*leadership.borrow_and_update() {
            Leadership::Leading(lead) if clock::now() < lead.until => return Ok(()),
            Leadership::Failed(fault) => return Err(fault.clone()),
            Leadership::Leading(_) | Leadership::Waiting => {}
        }
        leadership.changed().await.map_err(|_| gone())?;
    }
}

/// Waits until we do not lead any more, by what we are told or by the clock.
async fn lost(leadership: &mut watch::Receiver<Leadership>) -> Result<(), Fault> {
    loop {
        let left = match &*leadership.borrow_and_update() {
            Leadership::Leading(lead) => lead.until.saturating_sub(clock::now()),
            Leadership::Failed(fault) => return Err(fault.clone()),
            Leadership::Waiting => return Ok(()),
        };
        if left.is_zero() {
            tracing::warn!("the lease could not be renewed in time: not leading any more");
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(left) => {}
            changed = leadership.changed() => changed.map_err(|_| gone())?,
        }
    }
}

/// Our lead, as it is at this moment.
fn now(leadership: &watch::Receiver<Leadership>) -> Result<Lead, Fault> {
    match &*leadership.borrow() {
        Leadership::Leading(lead) => Ok(lead.clone()),
        _ => Err(Fault::unavailable(
            "lease-lost",
            "this process does not lead any more",
            "it stands for election again",
        )),
    }
}

fn gone() -> Fault {
    Fault::unavailable("election-ended", "the election has ended", "start it again")
}

/// Tries again while what fails may pass by itself. Told once.
async fn patiently<T, F: Future<Output = Result<T, Fault>>>(
    mut attempt: impl FnMut() -> F,
) -> Result<T, Fault> {
    let (mut pause, longest) = PAUSES;
    let mut told = None;
    loop {
        match attempt().await {
            Err(fault) if fault.passes() => {
                if told.as_ref() != Some(&fault.code) {
                    tracing::warn!(code = %fault.code, "{}", fault.what);
                }
                told = Some(fault.code);
            }
            outcome => return outcome,
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// Waits until the wall clock says so.
async fn until(due: Timestamp) {
    while let Ok(left) = Duration::try_from(due.duration_since(Timestamp::now()))
        && !left.is_zero()
    {
        tokio::time::sleep(left.min(LOOK)).await;
    }
}
