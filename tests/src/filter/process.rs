//! What all workers of one Envoy share, and the world around it.

use std::cell::RefCell;
use std::rc::Rc;

use keyless_scenarios::world::World;
use keyless_scenarios::world::timeline::Timeline;

use super::metrics::Metrics;
use super::shared_data::SharedData;

/// One Envoy. Each VM has a handle.
pub(super) type Shared = Rc<RefCell<Process>>;

pub(super) struct Process {
    pub(super) world: World,
    pub(super) time: Timeline,
    pub(super) data: SharedData,
    pub(super) metrics: Metrics,
    pub(super) log: Vec<Line>,
    /// Those that there are. A call to another one is refused.
    pub(super) clusters: Vec<String>,
    /// Which cluster each request was sent to, by its URL; files are not among them.
    pub(super) routed: Vec<(String, String)>,
    /// Files that the identity cluster serves.
    pub(super) files: Vec<String>,
    /// With what status whatever serves files answers in place of looking for them.
    pub(super) files_status: Option<u16>,
    /// A cluster whose answers break off after their headers, which Envoy reports as none at all.
    pub(super) breaks_off: Option<&'static str>,
    random: u64,
}

/// In Envoy's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) level: u32,
    pub(super) text: String,
}

pub(super) const WARN: u32 = 3;
pub(super) const ERROR: u32 = 4;

impl Process {
    pub(super) fn new(world: World) -> Shared {
        Rc::new(RefCell::new(Self {
            time: Timeline::new(world.start),
            world,
            data: SharedData::default(),
            metrics: Metrics::default(),
            log: Vec::new(),
            clusters: ["exchange", "identity"].map(ToOwned::to_owned).to_vec(),
            routed: Vec::new(),
            files: Vec::new(),
            files_status: None,
            breaks_off: None,
            random: 0,
        }))
    }

    /// Another number each time, and the same ones in each run.
    pub(super) fn random(&mut self) -> u64 {
        self.random += 1;
        self.random.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}
