//! Builds the filter with the same toolchain for wasm. Apart from the components' crate, because no host of ours loads it:
//! the command does not wait for it.

#[path = "../artifact/build/finished.rs"]
mod finished;
#[path = "../artifact/build/wasm.rs"]
mod wasm;

use finished::Finished;

fn main() -> anyhow::Result<()> {
    Finished {
        folder: "guest/proxy-wasm",
        features: &[],
        artifact: "envoy_filter",
        made_of: &[],
        file: "envoy-filter.wasm",
        variable: "KEYLESS_ENVOY_FILTER",
    }
    .build()
}
