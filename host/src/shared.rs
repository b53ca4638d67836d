//! Instances that several connections share, where a program wants that: [`Builder::connections_per_instance`].
//!
//! One of them is served at a time, with its own grant. What is broken while one is served is broken for all: each opens
//! its document anew, in another instance.
//!
//! [`Builder::connections_per_instance`]: crate::Builder::connections_per_instance

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, Weak};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::instance::{Access, CallError, Instance, Opened};
use crate::runtime::Inner;

/// More connections than there are places: nobody gets in, whoever leaves.
const CLOSED: usize = usize::MAX / 2;

/// All instances that are shared, and how many connections each of them takes.
pub(crate) struct House {
    size: usize,
    cohorts: Mutex<Vec<Weak<Cohort>>>,
}

/// The connections of one instance.
pub(crate) struct Cohort {
    /// None while somebody is served, and when it is broken.
    instance: Arc<Mutex<Option<Instance>>>,
    places: AtomicUsize,
    /// Connections that nobody holds any more, and that are still open in there.
    left: std::sync::Mutex<Vec<(Opened, Access)>>,
}

/// The instance, for one connection. Dropped before its [`end`](Self::end), the instance goes with it.
pub(crate) struct Turn {
    pub(crate) instance: Instance,
    slot: OwnedMutexGuard<Option<Instance>>,
}

impl House {
    /// `size`: connections for each instance.
    pub(crate) fn new(size: usize) -> Self {
        Self { size, cohorts: Mutex::default() }
    }

    /// A place in an instance with room, or in a new one. It is given back by [`Cohort::leave`].
    pub(crate) async fn place(
        &self,
        runtime: &Arc<Inner>,
        access: &Access,
    ) -> Result<Arc<Cohort>, CallError> {
        let mut cohorts = self.cohorts.lock().await;
        cohorts.retain(|cohort| cohort.strong_count() > 0);
        // The newest first: the others are full, as a rule.
        let with_room = cohorts.iter().rev().filter_map(Weak::upgrade).find(|cohort| cohort.enter(self.size));
        if let Some(cohort) = with_room {
            return Ok(cohort);
        }
        let cohort = Arc::new(Cohort {
            instance: Arc::new(Mutex::new(Some(Instance::new(runtime, access, None).await?))),
            places: AtomicUsize::new(1),
            left: std::sync::Mutex::default(),
        });
        cohorts.push(Arc::downgrade(&cohort));
        Ok(cohort)
    }
}

impl Cohort {
    /// Takes a place, if one is free and the instance is not known to be broken.
    fn enter(&self, size: usize) -> bool {
        let take = |places| (places < size).then_some(places + 1);
        self.places.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    /// Waits until nobody else is served. None: the instance is broken, and takes nobody any more.
    pub(crate) async fn turn(&self, access: &Access) -> Option<Turn> {
        let mut slot = Arc::clone(&self.instance).lock_owned().await;
        let Some(mut instance) = slot.take() else {
            self.places.store(CLOSED, Ordering::Release);
            return None;
        };
        let left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        for (connection, access) in left {
            instance.enter(&access);
            instance.release(connection).await.ok()?;
        }
        instance.enter(access);
        Some(Turn { instance, slot })
    }

    /// Gives a place back. What is open there is closed when nobody is served, without waiting for that.
    pub(crate) fn leave(cohort: &Arc<Self>, connection: Option<Opened>, access: &Access) {
        let others = cohort.places.fetch_sub(1, Ordering::AcqRel) > 1;
        let Some(connection) = connection else { return };
        cohort.left.lock().unwrap_or_else(PoisonError::into_inner).push((connection, access.clone()));
        // The last one takes the instance along. Outside a runtime, the next who is served does it.
        if let (true, Ok(tokio)) = (others, tokio::runtime::Handle::try_current()) {
            let (cohort, access) = (Arc::clone(cohort), access.clone());
            tokio.spawn(async move {
                if let Some(turn) = cohort.turn(&access).await {
                    turn.end();
                }
            });
        }
    }
}

impl Turn {
    /// The next one is served.
    pub(crate) fn end(self) {
        let Self { instance, mut slot } = self;
        *slot = Some(instance);
    }
}
