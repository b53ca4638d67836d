//! `cargo run -p keyless-envoy-filter -- FOLDER` writes the finished filter there.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result};
use keyless_envoy_filter::ENVOY_FILTER;

fn main() -> Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).context("name the folder to write to")?);
    fs::create_dir_all(&folder)?;
    let file = folder.join("envoy-filter.wasm");
    fs::write(&file, ENVOY_FILTER).with_context(|| file.display().to_string())?;
    println!("{}: {} bytes", file.display(), ENVOY_FILTER.len());
    Ok(())
}
