//! Keeps one document open in a component instance, and makes a new instance when the old one breaks.
//!
//! An instance that trapped cannot be used again. Its successor opens the document anew and knows nothing of what the
//! first one had; generations and counters go on where they were, so that nobody outside can tell.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::bindings;
use crate::credential::Credential;
use crate::home::{Home, Question};
use crate::instance::{self, Access, CallError, Instance};
use crate::runtime::{Inner, blocking};
use crate::source::Source;
use crate::{Error, Grant, SourceGrant, Variables, Warning};

/// The longest pause before a broken instance is replaced.
const MAX_PAUSE: Duration = Duration::from_secs(300);

pub(crate) struct Keeper {
    recipe: Recipe,
    home: Option<Home>,
    /// What the instances before the present one had counted.
    before: Counters,
    /// What the present one had counted when it was asked last.
    present: Counters,
    /// Broken instances since the last call that came to its end.
    broken_in_a_row: u32,
    replacements: u64,
}

/// All it takes to open the document once more.
struct Recipe {
    runtime: Arc<Inner>,
    access: Access,
    /// The component to ask for identity tokens, where the document names one.
    source: Option<Arc<Source>>,
    document: Zeroizing<String>,
    variables: Variables,
}

#[derive(Clone, Copy, Default)]
struct Counters {
    generation: u64,
    renewals: u64,
    failures: u64,
    failures_in_a_row: u32,
}

/// What came of asking for the credential.
pub(crate) struct Report {
    /// The credential, new or the one that is held already; or why there is none.
    pub(crate) credential: Result<Credential, Error>,
    /// Why the last attempt failed, even if a credential is still held.
    pub(crate) last_error: Option<Error>,
    /// When to ask again: a Unix time in milliseconds, or a pause. `None`: not before something happens.
    pub(crate) next: Option<Next>,
    /// `None` when the instance broke.
    pub(crate) warnings: Option<Vec<Warning>>,
    pub(crate) totals: Totals,
}

pub(crate) enum Next {
    At(u64),
    After(Duration),
}

/// Counted over all instances.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) generation: u64,
    pub(crate) renewals: u64,
    pub(crate) failures: u64,
    pub(crate) failures_in_a_row: u32,
    pub(crate) replacements: u64,
}

impl Keeper {
    /// Opens the document. Everything that can be known to be wrong without I/O is an error here.
    pub(crate) async fn open(
        runtime: Arc<Inner>,
        access: Access,
        document: &str,
        variables: Variables,
        grant: &Grant,
    ) -> Result<Self, Error> {
        let document = Zeroizing::new(document.to_owned());
        // Nobody should learn at the first request that it can never be sent.
        let mut instance = Instance::new(&runtime, &access, None).await?;
        let plan = instance.plan(&document, &variables).await?;
        grant.covers(&plan.requirements)?;
        let source = match grant.source_component().filter(|_| plan.requirements.source.is_some()) {
            Some(granted) => Some(load(&runtime, granted.clone(), variables.clone()).await?),
            None => None,
        };
        let recipe = Recipe { runtime, access, source, document, variables };
        let home = match (&recipe.source, &recipe.runtime.house) {
            // What understood the document can open it, too.
            (None, None) => Home::own(instance, &recipe.document, &recipe.variables).await?,
            _ => recipe.open().await?,
        };
        Ok(Self {
            recipe,
            home: Some(home),
            before: Counters::default(),
            present: Counters::default(),
            broken_in_a_row: 0,
            replacements: 0,
        })
    }

    /// Lets the component renew what is due, after telling it which generation the API rejected.
    pub(crate) async fn ask(&mut self, rejected: Option<u64>) -> Report {
        match self.try_ask(rejected).await {
            Ok(report) => report,
            Err(error) => self.broken(error),
        }
    }

    /// Lets the component revoke what it minted, where it can.
    pub(crate) async fn close(&mut self) -> Result<(), Error> {
        match self.home.take() {
            Some(home) => home.close().await,
            None => Ok(()),
        }
    }

    /// # Errors
    /// The instance is broken.
    async fn try_ask(&mut self, rejected: Option<u64>) -> Result<Report, Error> {
        loop {
            // Taken out, and put back at the end only: an instance that fails on the way is gone.
            let home = match self.home.take() {
                Some(home) => home,
                None => {
                    let home = self.recipe.open().await?;
                    tracing::info!(replacements = self.replacements, "component instance replaced");
                    home
                }
            };
            let first = self.before.generation;
            // One that an earlier instance handed out means nothing to this one; it starts with none anyhow.
            let rejected = rejected.and_then(|rejected| rejected.checked_sub(first)).filter(|g| *g > 0);
            if let Some((home, (credential, status))) = home.ask(Question { rejected, first }).await? {
                self.home = Some(home);
                self.broken_in_a_row = 0;
                return Ok(self.report(credential, status));
            }
            self.succeed();
        }
    }

    fn report(&mut self, credential: Result<Credential, Error>, status: bindings::Status) -> Report {
        self.present = Counters {
            generation: status.generation,
            renewals: status.renewals,
            failures: status.failures,
            failures_in_a_row: status.failures_in_a_row,
        };
        let next = match &credential {
            Ok(_) => status.next_attempt_at.map(Next::At),
            // The component says that asking again changes nothing. Asked it is all the same, now and then: no failure
            // is final.
            Err(error) => Some(Next::After(error.retry_after.unwrap_or(MAX_PAUSE))),
        };
        let last_error = match &credential {
            Ok(_) => status.last_error.map(instance::error),
            Err(error) => Some(error.clone()),
        };
        let warnings = Some(status.warnings.into_iter().map(instance::warning).collect());
        Report { credential, last_error, next, warnings, totals: self.totals() }
    }

    fn broken(&mut self, error: Error) -> Report {
        self.succeed();
        self.before.failures = self.before.failures.saturating_add(1);
        self.before.failures_in_a_row = self.before.failures_in_a_row.saturating_add(1);
        let pause = Duration::from_secs(1 << self.broken_in_a_row.min(16)).min(MAX_PAUSE);
        self.broken_in_a_row = self.broken_in_a_row.saturating_add(1);
        let error = Error { retry_after: Some(pause), ..error };
        Report {
            last_error: Some(error.clone()),
            credential: Err(error),
            next: Some(Next::After(pause)),
            warnings: None,
            totals: self.totals(),
        }
    }

    /// Another instance goes on where the present one was.
    fn succeed(&mut self) {
        let Counters { generation, renewals, failures, failures_in_a_row } =
            std::mem::take(&mut self.present);
        self.before = Counters {
            generation: self.before.generation.saturating_add(generation),
            renewals: self.before.renewals.saturating_add(renewals),
            failures: self.before.failures.saturating_add(failures),
            failures_in_a_row: self.before.failures_in_a_row.saturating_add(failures_in_a_row),
        };
        self.replacements = self.replacements.saturating_add(1);
    }

    fn totals(&mut self) -> Totals {
        if self.present.renewals > 0 && self.present.failures_in_a_row == 0 {
            // The row ended in this instance.
            self.before.failures_in_a_row = 0;
        }
        Totals {
            generation: self.before.generation.saturating_add(self.present.generation),
            renewals: self.before.renewals.saturating_add(self.present.renewals),
            failures: self.before.failures.saturating_add(self.present.failures),
            failures_in_a_row: self.before.failures_in_a_row.saturating_add(self.present.failures_in_a_row),
            replacements: self.replacements,
        }
    }
}

/// The component and the provider that can ask it.
async fn load(
    runtime: &Arc<Inner>,
    granted: SourceGrant,
    variables: Variables,
) -> Result<Arc<Source>, Error> {
    let runtime = Arc::clone(runtime);
    blocking(move || {
        runtime.with_source()?;
        Source::load(&runtime, &granted, &variables).map(Arc::new)
    })
    .await
}

impl Recipe {
    async fn open(&self) -> Result<Home, CallError> {
        let Self { runtime, access, source, document, variables } = self;
        Home::open(runtime, access, source.as_ref(), document, variables).await
    }
}
