//! Builds the component that calls the provider.

#[path = "../../guest/artifact/build/wasm.rs"]
mod wasm;

use std::path::PathBuf;
use std::{env, fs};

use anyhow::Result;

fn main() -> Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    for input in ["tests/wasi-03/caller", "guest/artifact/build", "wit/types.wit", "wit/async"] {
        println!("cargo:rerun-if-changed={}", root.join(input).display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    let caller = wasm::build(&root, "tests/wasi-03/caller", &[], "caller")?;
    let finished = PathBuf::from(env::var("OUT_DIR")?).join("caller.wasm");
    fs::write(&finished, caller)?;
    println!("cargo:rustc-env=KEYLESS_CALLER={}", finished.display());
    Ok(())
}
