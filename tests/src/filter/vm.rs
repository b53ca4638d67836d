//! One VM as the filter's calls see it: its contexts, what they may read just now, and what they have asked for.

use std::collections::{BTreeMap, VecDeque};

use keyless_scenarios::world::flights::Flights;

use super::answer::Answer;
use super::pairs::Pairs;
use super::process::Shared;
use super::streams::{Reply, Stream};

pub(super) struct Vm {
    pub(super) process: Shared,
    /// `vm_config.environment_variables`
    pub(super) variables: Pairs,
    /// The contexts of plugins, by number.
    pub(super) roots: BTreeMap<u32, Root>,
    /// The contexts of requests.
    pub(super) streams: BTreeMap<u32, Stream>,
    /// All contexts are numbered together, and no number comes twice.
    last_context: u32,
    /// Whose callback this is.
    current: u32,
    /// Whom its calls are about.
    effective: u32,
    pub(super) offered: Offered,
    /// What happens once the callback has returned.
    pub(super) after: VecDeque<After>,
    pub(super) flights: Flights<Call>,
    /// Files are there at once.
    pub(super) at_once: VecDeque<(Call, Answer)>,
    last_token: u32,
}

/// The context of a plugin.
pub(super) struct Root {
    pub(super) name: String,
    /// In milliseconds. 0: it has no timer.
    pub(super) period: u32,
    /// On the monotonic clock.
    pub(super) next_tick: u64,
}

/// What there is to read during a callback, and only then.
pub(super) enum Offered {
    Nothing,
    Configuration(Vec<u8>),
    Answer(Answer),
    ResponseHeaders(Pairs),
}

pub(super) enum After {
    Continue(u32),
    Reply(u32, Reply),
}

/// A call to a cluster.
pub(super) struct Call {
    /// Who made it.
    pub(super) root: u32,
    pub(super) token: u32,
    pub(super) cluster: String,
}

impl Vm {
    pub(super) fn new(process: Shared, variables: Pairs) -> Self {
        Self {
            process,
            variables,
            roots: BTreeMap::new(),
            streams: BTreeMap::new(),
            last_context: 0,
            current: 0,
            effective: 0,
            offered: Offered::Nothing,
            after: VecDeque::new(),
            flights: Flights::default(),
            at_once: VecDeque::new(),
            last_token: 0,
        }
    }

    /// A callback begins.
    pub(super) fn enter(&mut self, context: u32, offered: Offered) {
        (self.current, self.effective, self.offered) = (context, context, offered);
    }

    /// And ends.
    pub(super) fn leave(&mut self) {
        self.enter(0, Offered::Nothing);
    }

    pub(super) fn next_context(&mut self) -> u32 {
        self.last_context += 1;
        self.last_context
    }

    pub(super) fn next_token(&mut self) -> u32 {
        self.last_token += 1;
        self.last_token
    }

    fn has_context(&self, context: u32) -> bool {
        self.roots.contains_key(&context) || self.streams.contains_key(&context)
    }

    /// From here on, calls are about that context. False: it is gone.
    pub(super) fn act_for(&mut self, context: u32) -> bool {
        let there = self.has_context(context);
        if there {
            self.effective = context;
        }
        there
    }

    /// Whom calls are about. One that is gone gives way to the context of the callback.
    pub(super) fn context(&self) -> u32 {
        if self.has_context(self.effective) { self.effective } else { self.current }
    }

    /// The plugin of that context.
    pub(super) fn root_number(&self) -> u32 {
        let context = self.context();
        self.streams.get(&context).map_or(context, |stream| stream.root)
    }
}
