//! A build script whose crate carries one finished artifact, as bytes.

use std::path::PathBuf;
use std::{env, fs};

use anyhow::Result;

use crate::wasm;

/// What is built, and how the crate's code finds it.
pub(crate) struct Finished {
    /// Below the workspace's root.
    pub(crate) folder: &'static str,
    pub(crate) features: &'static [&'static str],
    /// Its library's name.
    pub(crate) artifact: &'static str,
    /// Beside `folder`, the engine and the manifest: files and folders that it is made of.
    pub(crate) made_of: &'static [&'static str],
    /// What the finished file is called.
    pub(crate) file: &'static str,
    /// Names that file, for `include_bytes!`.
    pub(crate) variable: &'static str,
}

impl Finished {
    pub(crate) fn build(self) -> Result<()> {
        let Self { folder, features, artifact, made_of, file, variable } = self;
        let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
        for input in ["Cargo.toml", "guest/engine", "guest/artifact/build", folder].iter().chain(made_of) {
            println!("cargo:rerun-if-changed={}", root.join(input).display());
        }
        println!("cargo:rerun-if-changed=build.rs");
        let finished = PathBuf::from(env::var("OUT_DIR")?).join(file);
        fs::write(&finished, wasm::build(&root, folder, features, artifact)?)?;
        println!("cargo:rustc-env={variable}={}", finished.display());
        Ok(())
    }
}
