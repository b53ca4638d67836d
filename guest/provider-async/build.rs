//! Builds the component for WASI 0.3 with the same toolchain for wasm. Apart from the other components' crate, because the
//! command does not load it and need not wait for it.

#[path = "../artifact/build/finished.rs"]
mod finished;
#[path = "../artifact/build/wasm.rs"]
mod wasm;

use finished::Finished;

fn main() -> anyhow::Result<()> {
    Finished {
        folder: "guest/component",
        features: &["wasi-03"],
        artifact: "credential_provider",
        made_of: &["wit/types.wit", "wit/async/provider.wit", "wit/async/worlds.wit"],
        file: "credential-provider-async.wasm",
        variable: "KEYLESS_CREDENTIAL_PROVIDER_ASYNC",
    }
    .build()
}
