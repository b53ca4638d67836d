//! Builds the component for WASI 0.3 with the same toolchain for wasm. Apart from the other components' crate, because the
//! command does not load it and need not wait for it.

#[path = "../artifact/build/wasm.rs"]
mod wasm;

use std::path::PathBuf;
use std::{env, fs};

use anyhow::Result;

fn main() -> Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    for input in [
        "Cargo.toml",
        "guest/engine",
        "guest/component",
        "guest/artifact/build",
        "wit/types.wit",
        "wit/async/provider.wit",
        "wit/async/worlds.wit",
    ] {
        println!("cargo:rerun-if-changed={}", root.join(input).display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    let provider = wasm::build(&root, "guest/component", &["wasi-03"], "credential_provider")?;
    let finished = PathBuf::from(env::var("OUT_DIR")?).join("credential-provider-async.wasm");
    fs::write(&finished, provider)?;
    println!("cargo:rustc-env=KEYLESS_CREDENTIAL_PROVIDER_ASYNC={}", finished.display());
    Ok(())
}
