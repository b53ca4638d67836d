//! Fills `wit/deps` with WASI 0.2's WIT from the `wasi` crate, so that the contract and the bindings cannot disagree; and
//! `wit/async/deps` with WASI 0.3's from the `wasip3` crate, beside our own types.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};

fn main() -> Result<()> {
    let manifest_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let wit = manifest_dir.join("../../wit");
    for file in ["types", "provider", "source", "machine", "worlds", "async/provider", "async/worlds"] {
        println!("cargo:rerun-if-changed={}", wit.join(format!("{file}.wit")).display());
    }
    for folder in ["deps", "async/deps"] {
        println!("cargo:rerun-if-changed={}", wit.join(folder).display());
    }
    println!("cargo:rerun-if-changed=build.rs");

    let crates = Crates::below(&manifest_dir)?;
    let source = crates.folder("wasi", "0.12.1+wasi-0.2.0")?.join("wit/deps");
    // Packages the worlds reach, directly or through one another.
    for package in ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"] {
        copy_folder(&source.join(package), &wit.join("deps").join(package))?;
    }
    let source = crates.folder("wasip3", "0.8.0+wasi-0.3.0")?.join("wit/deps");
    let deps = wit.join("async/deps");
    fs::create_dir_all(&deps)?;
    for package in ["cli", "clocks", "filesystem", "http", "random", "sockets"] {
        copy(&source.join(package).with_extension("wit"), &deps.join(package).with_extension("wit"))?;
    }
    copy(&wit.join("types.wit"), &deps.join("credentials.wit"))
}

/// What this package depends on.
struct Crates(serde_json::Value);

impl Crates {
    fn below(manifest_dir: &Path) -> Result<Self> {
        let output = Command::new(env::var("CARGO")?)
            .args(["metadata", "--format-version", "1", "--manifest-path"])
            .arg(manifest_dir.join("Cargo.toml"))
            .output()
            .context("running cargo metadata")?;
        ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        Ok(Self(serde_json::from_slice(&output.stdout)?))
    }

    /// Where cargo unpacked that crate.
    fn folder(&self, name: &str, version: &str) -> Result<&Path> {
        let is = |package: &serde_json::Value, key: &str, text: &str| {
            package.get(key).is_some_and(|value| value == text)
        };
        let packages = self.0.get("packages").and_then(serde_json::Value::as_array);
        let manifest = packages
            .into_iter()
            .flatten()
            .find(|package| is(package, "name", name) && is(package, "version", version))
            .and_then(|package| package.get("manifest_path")?.as_str())
            .with_context(|| format!("the `{name}` crate {version} is not among the dependencies"))?;
        Path::new(manifest).parent().context("a manifest has a folder")
    }
}

/// The files of a folder.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Leaves a file alone that is already the same: a new time stamp would rebuild all.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let text = fs::read(from).with_context(|| from.display().to_string())?;
    if fs::read(to).ok().as_ref() != Some(&text) {
        fs::write(to, text)?;
    }
    Ok(())
}
