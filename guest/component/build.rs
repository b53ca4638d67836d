//! Fills `wit/deps` with WASI's WIT from the `wasi` crate, so that the contract and the bindings cannot disagree.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};

fn main() -> Result<()> {
    let manifest_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let wit = manifest_dir.join("../../wit");
    for file in ["types", "provider", "source", "machine", "worlds"] {
        println!("cargo:rerun-if-changed={}", wit.join(format!("{file}.wit")).display());
    }
    println!("cargo:rerun-if-changed={}", wit.join("deps").display());
    println!("cargo:rerun-if-changed=build.rs");

    let source = wasi_crate(&manifest_dir)?.join("wit/deps");
    // Packages the worlds reach, directly or through one another.
    for package in ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"] {
        copy(&source.join(package), &wit.join("deps").join(package))?;
    }
    Ok(())
}

/// Where cargo unpacked the `wasi` crate that this package depends on.
fn wasi_crate(manifest_dir: &Path) -> Result<PathBuf> {
    let output = Command::new(env::var("CARGO")?)
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(manifest_dir.join("Cargo.toml"))
        .output()
        .context("running cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let is = |package: &serde_json::Value, key: &str, text: &str| {
        package.get(key).is_some_and(|value| value == text)
    };
    let packages = metadata.get("packages").and_then(serde_json::Value::as_array);
    let manifest = packages
        .into_iter()
        .flatten()
        .find(|package| is(package, "name", "wasi") && is(package, "version", "0.12.1+wasi-0.2.0"))
        .and_then(|package| package.get("manifest_path")?.as_str())
        .context("the `wasi` crate 0.12.1+wasi-0.2.0 is not among the dependencies")?;
    Ok(Path::new(manifest).parent().context("a manifest has a folder")?.to_owned())
}

/// Copies the files of a folder, leaving those alone that are already the same: a new time stamp would rebuild all.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let (text, target) = (fs::read(entry.path())?, to.join(entry.file_name()));
        if fs::read(&target).ok().as_ref() != Some(&text) {
            fs::write(&target, text)?;
        }
    }
    Ok(())
}
