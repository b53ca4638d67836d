//! Builds the component without imports with the same toolchain for wasm. Apart from the other components' crate, because the
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
        "wit/machine.wit",
    ] {
        println!("cargo:rerun-if-changed={}", root.join(input).display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    let machine = wasm::build(&root, "guest/component", &["machine"], "credential_provider")?;
    let finished = PathBuf::from(env::var("OUT_DIR")?).join("credential-machine.wasm");
    fs::write(&finished, machine)?;
    println!("cargo:rustc-env=KEYLESS_CREDENTIAL_MACHINE={}", finished.display());
    Ok(())
}
