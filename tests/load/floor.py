"""Modules that do the least that a filter can do (`floor.rs`): what Envoy takes for a filter, whatever is in it."""

import os
import subprocess
from pathlib import Path

from parties import HERE, ROOT

# By their rows in the table: which callbacks each exports.
MODULES = {
    "a module without callbacks": (),
    "a bare module, for requests": ("request",),
    "also called for answers": ("request", "response"),
    "also asking their status": ("request", "status"),
}


def build(way: str, home: Path, key: str) -> Path:
    module = home / f"{'-'.join(MODULES[way]) or 'empty'}.wasm"
    chosen = [word for name in MODULES[way] for word in ("--cfg", name)]
    kind = ["--edition", "2024", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown"]
    small = ["-C", "opt-level=3", "-C", "panic=abort", "-C", "link-arg=-zstack-size=65536", "-C", "link-arg=--stack-first"]
    # Parts that are not chosen, and names of cfg that cargo knows nothing of.
    command = ["rustc", *kind, *small, "-A", "warnings", *chosen, HERE / "floor.rs", "-o", module]
    # From the root, where the toolchain is named.
    subprocess.run(command, cwd=ROOT, env={**os.environ, "CREDENTIAL": f"Bearer {key}"}, check=True)
    return module
