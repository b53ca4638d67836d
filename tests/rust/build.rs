//! Takes the quick start out of the crate's README, so that it is what is run, to the letter.

use std::path::{Path, PathBuf};
use std::{env, error, fs};

fn main() -> Result<(), Box<dyn error::Error>> {
    let readme = Path::new("../../host/README.md");
    println!("cargo:rerun-if-changed={}", readme.display());
    let text = fs::read_to_string(readme)?;
    let program =
        block(&text, "## Quick start", "```rust,no_run\n").ok_or("the README has no quick start in Rust")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("quick-start.rs"), program)?;
    Ok(())
}

/// The first block that is opened by `fence` after `heading`.
fn block<'a>(text: &'a str, heading: &str, fence: &str) -> Option<&'a str> {
    let (_, below) = text.split_once(heading)?;
    let (_, inside) = below.split_once(fence)?;
    inside.split_once("\n```").map(|(block, _)| block)
}
