//! `cargo run -p keyless-provider-async -- FOLDER` writes the finished component for WASI 0.3 there.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result};
use keyless_provider_async::CREDENTIAL_PROVIDER_ASYNC;

fn main() -> Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).context("name the folder to write to")?);
    fs::create_dir_all(&folder)?;
    let file = folder.join("credential-provider-async.wasm");
    fs::write(&file, CREDENTIAL_PROVIDER_ASYNC).with_context(|| file.display().to_string())?;
    println!("{}: {} bytes", file.display(), CREDENTIAL_PROVIDER_ASYNC.len());
    Ok(())
}
