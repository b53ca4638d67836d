//! Builds the guest with the same toolchain for wasm, so that `cargo build` of a host is all it takes.
//!
//! A package of this crate carries the finished components, in `prebuilt`: the guest's sources are not in it.
//!
//! `KEYLESS_PREBUILT_COMPONENT=FILE` and `KEYLESS_PREBUILT_COMPONENT_WITH_SOURCE=FILE` embed components that were built
//! elsewhere.

#[path = "build/wasm.rs"]
mod wasm;

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result};

/// What differs between the two worlds.
struct World {
    file: &'static str,
    features: &'static [&'static str],
    prebuilt: &'static str,
    embedded: &'static str,
}

/// The engine is compiled once for both.
const WORLDS: [World; 2] = [
    World {
        file: "credential-provider.wasm",
        features: &[],
        prebuilt: "KEYLESS_PREBUILT_COMPONENT",
        embedded: "KEYLESS_CREDENTIAL_PROVIDER",
    },
    World {
        file: "credential-provider-with-source.wasm",
        features: &["custom-source"],
        prebuilt: "KEYLESS_PREBUILT_COMPONENT_WITH_SOURCE",
        embedded: "KEYLESS_CREDENTIAL_PROVIDER_WITH_SOURCE",
    },
];

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    let own = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let root = own.join("../..").canonicalize()?;
    // The sources win, so that nothing old that lies about is embedded.
    let packaged = !root.join("guest/component/Cargo.toml").exists();
    for world in WORLDS {
        println!("cargo:rerun-if-env-changed={}", world.prebuilt);
        let in_package = packaged.then(|| own.join("prebuilt").join(world.file));
        let component = match env::var_os(world.prebuilt).map(PathBuf::from).or(in_package) {
            Some(file) => {
                println!("cargo:rerun-if-changed={}", file.display());
                let component = fs::read(&file).with_context(|| file.display().to_string())?;
                wasm::without_names(&component)?
            }
            None => {
                follow_the_guest(&root)?;
                wasm::build(&root, "guest/component", world.features, "credential_provider")?
            }
        };
        let finished = PathBuf::from(env::var("OUT_DIR")?).join(world.file);
        fs::write(&finished, component)?;
        println!("cargo:rustc-env={}={}", world.embedded, finished.display());
    }
    Ok(())
}

/// Built anew when any of its sources changes.
fn follow_the_guest(root: &Path) -> Result<()> {
    for input in ["Cargo.toml", "guest/engine", "guest/component/src", "guest/component/.cargo"] {
        println!("cargo:rerun-if-changed={}", root.join(input).display());
    }
    for input in ["build.rs", "Cargo.toml"] {
        println!("cargo:rerun-if-changed={}", root.join("guest/component").join(input).display());
    }
    for entry in fs::read_dir(root.join("wit"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wit") {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    Ok(())
}
