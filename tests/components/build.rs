//! Builds the components as the guest is built.

#[path = "../../guest/artifact/build/wasm.rs"]
mod wasm;

use std::path::PathBuf;
use std::{env, fs};

use anyhow::Result;

fn main() -> Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    for (name, artifact) in [("oracle", "oracle_source"), ("misbehaving", "misbehaving_source")] {
        let folder = format!("tests/components/{name}");
        println!("cargo:rerun-if-changed={}", root.join(&folder).display());
        let finished = PathBuf::from(env::var("OUT_DIR")?).join(name).with_extension("wasm");
        fs::write(&finished, wasm::build(&root, &folder, &[], artifact)?)?;
        println!("cargo:rustc-env=KEYLESS_TEST_{}={}", name.to_uppercase(), finished.display());
    }
    for input in ["build.rs", ".cargo/config.toml", "../../guest/artifact/build"] {
        println!("cargo:rerun-if-changed={input}");
    }
    Ok(())
}
