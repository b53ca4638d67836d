//! `cargo run -p keyless-artifact -- FOLDER` writes the finished components there.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result};

fn main() -> Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).context("name the folder to write to")?);
    let file = folder.join("credential-provider.wasm");
    fs::create_dir_all(&folder)?;
    fs::write(&file, keyless_artifact::CREDENTIAL_PROVIDER).with_context(|| file.display().to_string())?;
    println!("{}: {} bytes", file.display(), keyless_artifact::CREDENTIAL_PROVIDER.len());
    Ok(())
}
