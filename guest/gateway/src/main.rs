//! `cargo run -p keyless-http-gateway -- FOLDER` writes the finished gateway there, alone and composed.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result};
use keyless_http_gateway::{HTTP_GATEWAY, HTTP_GATEWAY_ALONE};

fn main() -> Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).context("name the folder to write to")?);
    fs::create_dir_all(&folder)?;
    for (name, bytes) in [("http-gateway.wasm", HTTP_GATEWAY_ALONE), ("keyless-gateway.wasm", HTTP_GATEWAY)] {
        let file = folder.join(name);
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
        println!("{}: {} bytes", file.display(), bytes.len());
    }
    Ok(())
}
