//! Builds the gateway with the same toolchain for wasm, and plugs the credential provider into it.

#[path = "../artifact/build/wasm.rs"]
mod wasm;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use keyless_artifact::CREDENTIAL_PROVIDER;

fn main() -> Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    for input in [
        "Cargo.toml",
        "guest/artifact/build",
        "guest/component/build.rs",
        "guest/gateway/compose/Cargo.toml",
        "guest/gateway/compose/src",
        "guest/http-gateway",
        "host/gateway/src/keys.rs",
        "host/gateway/src/path.rs",
        "wit/gateway.wit",
        "wit/provider.wit",
        "wit/types.wit",
    ] {
        println!("cargo:rerun-if-changed={}", root.join(input).display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let [gateway, provider, composed] =
        ["http-gateway.wasm", "credential-provider.wasm", "keyless-gateway.wasm"].map(|name| out.join(name));
    fs::write(&gateway, wasm::build(&root, "guest/http-gateway", &[], "http_gateway")?)?;
    fs::write(&provider, CREDENTIAL_PROVIDER)?;
    compose(&root, &[&gateway, &provider, &composed])?;
    // The names of the tools are all that is in there.
    fs::write(&composed, wasm::without_names(&fs::read(&composed)?)?)?;
    println!("cargo:rustc-env=KEYLESS_HTTP_GATEWAY_ALONE={}", gateway.display());
    println!("cargo:rustc-env=KEYLESS_HTTP_GATEWAY={}", composed.display());
    Ok(())
}

/// Socket, plug, result.
fn compose(root: &Path, files: &[&PathBuf; 3]) -> Result<()> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // A target folder of its own: the outer cargo holds the lock of the usual one.
    let target = out.ancestors().nth(4).context("OUT_DIR is deeper than that")?.join("compose");
    let output = Command::new(env::var("CARGO")?)
        .args(["run", "--quiet", "--locked", "--manifest-path"])
        .arg(root.join("guest/gateway/compose/Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .arg("--")
        .args(files)
        // What the outer build says about the host's own code is not meant for this.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .output()
        .context("running cargo for guest/gateway/compose")?;
    ensure!(output.status.success(), "composing failed:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
