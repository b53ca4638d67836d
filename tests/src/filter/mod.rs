//! The finished filter in a stand-in for Envoy: proxy-wasm ABI 0.2.1 on wasmtime, in simulated time.
//!
//! ```text
//!  host ── plays scenarios ──▶ envoy ──▶ worker ──▶ vm ◀── module
//!    └─ replica                  │    (callbacks)  (what the filter's calls see)
//!                                └────▶ process: what all workers share, and the far end
//! ```
//!
//! It does what Envoy's own host does (github.com/proxy-wasm/proxy-wasm-cpp-host, and `source/extensions/common/wasm/` of
//! envoyproxy/envoy), in one thing more strictly: what Envoy lets pass with a status that the filter does not look at is a
//! trap here, because the filter never has a reason to do it.

mod agreement;
mod answer;
mod calls;
mod clusters;
mod configuration;
mod counts;
mod envoy;
mod faults;
mod finished;
mod host;
mod left_out;
mod memory;
mod metrics;
mod module;
mod pairs;
mod plugins;
mod process;
mod races;
mod replica;
mod service;
mod shared_data;
mod stage;
mod streams;
mod structs;
mod vm;
mod wasi;
mod worker;
mod workers;

use keyless_scenarios::hosts::Maker;
use keyless_scenarios::scenario::Scenario;

pub(crate) use counts::counts;

/// The filter in one worker.
pub(crate) const FILTER: Maker = Maker {
    name: "filter",
    make: |world| Box::new(host::InEnvoy::new(world)),
    plays: |scenario| left_out::reason(scenario).is_none(),
};

/// A projected token, exchanged once for that one.
pub(crate) fn one_exchange(token: &str) -> Scenario {
    stage::scenario(&[stage::issues(token)])
}
