//! Builds the filter with the same toolchain for wasm. Apart from the components' crate, because no host of ours loads it:
//! the command does not wait for it.

#[path = "../artifact/build/wasm.rs"]
mod wasm;

use std::path::PathBuf;
use std::{env, fs};

use anyhow::Result;

fn main() -> Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    for input in ["Cargo.toml", "guest/engine", "guest/proxy-wasm", "guest/artifact/build"] {
        println!("cargo:rerun-if-changed={}", root.join(input).display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    let filter = wasm::build(&root, "guest/proxy-wasm", &[], "envoy_filter")?;
    let finished = PathBuf::from(env::var("OUT_DIR")?).join("envoy-filter.wasm");
    fs::write(&finished, filter)?;
    println!("cargo:rustc-env=KEYLESS_ENVOY_FILTER={}", finished.display());
    Ok(())
}
