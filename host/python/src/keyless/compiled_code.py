"""Where compiled code is kept between runs, so that only the first start pays for compiling (0.2 s).

Whoever can write there can run code in this process: the folder is made for this user only, and one that belongs to
somebody else, or that others may write to, is not used.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

_DIGEST = 32


def load(name: str) -> bytes | None:
    """What was kept under that name; `None` where there is nothing that can be trusted."""
    folder = _folder()
    if folder is None or not _private(folder):
        return None
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        if not _ours(os.fstat(descriptor), stat.S_ISREG):
            return None
        kept = file.read()
    digest, code = kept[:_DIGEST], kept[_DIGEST:]
    # Against a disk that was full, not against an attacker: those cannot write here.
    return code if hashlib.sha256(code).digest() == digest else None


def keep(name: str, code: bytes) -> None:
    """Keeps it for the next start. A cache is a convenience: where nothing can be written, nothing is kept."""
    folder = _folder()
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _private(folder):
            return
        descriptor, unfinished = tempfile.mkstemp(dir=folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(hashlib.sha256(code).digest() + code)
            os.replace(unfinished, folder / name)
        except OSError:
            os.unlink(unfinished)
    except OSError:
        return


def _folder() -> Path | None:
    """`$KEYLESS_CACHE_DIR`, else `keyless/` in the user's cache folder; `None` with `$KEYLESS_NO_CACHE`."""
    if os.environ.get("KEYLESS_NO_CACHE"):
        return None
    if named := os.environ.get("KEYLESS_CACHE_DIR"):
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = os.environ.get("HOME") and f"{os.environ['HOME']}/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("HOME") and f"{os.environ['HOME']}/.cache")
    return Path(base, "keyless") if base and os.path.isabs(base) else None


def _private(folder: Path) -> bool:
    try:
        return _ours(os.stat(folder), stat.S_ISDIR)
    except OSError:
        return False


def _ours(about: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    if not is_kind(about.st_mode):
        return False
    if sys.platform == "win32":
        # Below %LOCALAPPDATA% a folder inherits an access list that names its user only.
        return True
    return about.st_uid == os.geteuid() and not about.st_mode & 0o022
