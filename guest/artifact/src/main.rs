//! `cargo run -p keyless-artifact -- FOLDER` writes the finished components there.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result};
use keyless_artifact::{CREDENTIAL_PROVIDER, CREDENTIAL_PROVIDER_WITH_SOURCE};

fn main() -> Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).context("name the folder to write to")?);
    fs::create_dir_all(&folder)?;
    for (name, bytes) in [
        ("credential-provider.wasm", CREDENTIAL_PROVIDER),
        ("credential-provider-with-source.wasm", CREDENTIAL_PROVIDER_WITH_SOURCE),
    ] {
        let file = folder.join(name);
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
        println!("{}: {} bytes", file.display(), bytes.len());
    }
    Ok(())
}
