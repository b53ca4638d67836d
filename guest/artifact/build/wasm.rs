//! Building a crate for wasm, with the toolchain of the build that runs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, bail, ensure};

const TARGET: &str = "wasm32-unknown-unknown";

/// The crate in `folder`, below the workspace's `root`, as what its linker makes of it, a component or a module: its bytes
/// without debug names. `artifact` is the name of its library. Every call shares what they have in common, such as dependencies.
pub(crate) fn build(root: &Path, folder: &str, features: &[&str], artifact: &str) -> Result<Vec<u8>> {
    // A target folder of its own: the outer cargo holds the lock of the usual one.
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let target = out.ancestors().nth(4).context("OUT_DIR is deeper than that")?.join("guest");
    // One crate becomes several artifacts, all of them under the same name there: each is taken away before the next is made.
    fs::create_dir_all(&target)?;
    let turn = fs::File::create(target.join("turn"))?;
    turn.lock()?;
    let output = Command::new(env::var("CARGO")?)
        // The folder's `.cargo/config.toml` names the linker.
        .current_dir(root.join(folder))
        .args(["build", "--target", TARGET, "--profile", "guest", "--features", &features.join(",")])
        .arg("--target-dir")
        .arg(&target)
        .args(["--config", &same_paths_everywhere(root)?])
        // What the outer build says about the host's own code does not hold for wasm.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        // Under `cargo clippy` the outer rustc is a linter, which builds nothing.
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .output()
        .context("running cargo for wasm")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if errors.contains("can't find crate for `core`") || errors.contains("can't find crate for `std`") {
        bail!("the {TARGET} target is not installed; run `rustup target add {TARGET}`");
    }
    ensure!(output.status.success(), "{folder} does not build:\n{errors}");
    let built = target.join(TARGET).join("guest").join(artifact).with_extension("wasm");
    without_names(&fs::read(&built).with_context(|| built.display().to_string())?)
}

/// Panic messages carry file names. Those of the machine that built it have no place in an artefact, and would make it
/// differ from machine to machine.
fn same_paths_everywhere(root: &Path) -> Result<String> {
    let home = match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir().context("neither CARGO_HOME nor a home folder")?.join(".cargo"),
    };
    let mut flags = vec![format!("{}=.", root.display())];
    let sources = home.join("registry/src");
    // Longest first: the last one that matches wins, so the general one comes before.
    flags.push(format!("{}=", sources.display()));
    for entry in fs::read_dir(&sources).into_iter().flatten() {
        flags.push(format!("{}=", entry?.path().display()));
    }
    let quoted: Vec<_> = flags.iter().map(|flag| format!("'--remap-path-prefix={flag}'")).collect();
    Ok(format!("target.{TARGET}.rustflags=[{}]", quoted.join(",")))
}

/// Drops the custom sections of a component or a module, and of the modules in a component: the linker's debug names, a
/// thirtieth of its size, and which compiler made it.
///
/// A binary is a header of eight bytes and then sections: an identifier, a length in LEB128, the content.
pub(crate) fn without_names(binary: &[u8]) -> Result<Vec<u8>> {
    const CUSTOM: u8 = 0;
    const MODULE_IN_A_COMPONENT: u8 = 1;
    let (header, mut rest) = binary.split_at_checked(8).context("not WebAssembly")?;
    ensure!(header.starts_with(b"\0asm"), "not WebAssembly");
    // The layer, behind the version.
    let is_component = header.ends_with(&[1, 0]);
    let mut kept = header.to_vec();
    while let Some((id, after)) = rest.split_first() {
        let (length, digits) = leb128(after).context("a section without a length")?;
        let (section, next) = rest.split_at_checked(1 + digits + length).context("a section is cut off")?;
        match *id {
            CUSTOM => {}
            MODULE_IN_A_COMPONENT if is_component => {
                let module = without_names(section.get(1 + digits..).unwrap_or_default())?;
                kept.push(*id);
                push_leb128(&mut kept, module.len());
                kept.extend(module);
            }
            _ => kept.extend_from_slice(section),
        }
        rest = next;
    }
    Ok(kept)
}

/// The number and how many bytes it takes.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut number = 0;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        number |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((number, index + 1));
        }
    }
    None
}

fn push_leb128(bytes: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
