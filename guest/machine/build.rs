//! Builds the component without imports with the same toolchain for wasm. Apart from the other components' crate, because the
//! command does not load it and need not wait for it.

#[path = "../artifact/build/finished.rs"]
mod finished;
#[path = "../artifact/build/wasm.rs"]
mod wasm;

use finished::Finished;

fn main() -> anyhow::Result<()> {
    Finished {
        folder: "guest/component",
        features: &["machine"],
        artifact: "credential_provider",
        made_of: &["wit/types.wit", "wit/machine.wit"],
        file: "credential-machine.wasm",
        variable: "KEYLESS_CREDENTIAL_MACHINE",
    }
    .build()
}
