//! `cargo run -p keyless-machine -- FOLDER` writes the finished component without imports there.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result};
use keyless_machine::CREDENTIAL_MACHINE;

fn main() -> Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).context("name the folder to write to")?);
    fs::create_dir_all(&folder)?;
    let file = folder.join("credential-machine.wasm");
    fs::write(&file, CREDENTIAL_MACHINE).with_context(|| file.display().to_string())?;
    println!("{}: {} bytes", file.display(), CREDENTIAL_MACHINE.len());
    Ok(())
}
