"""What a fork must not interrupt.

A child has the thread that forked and no other, and every lock as it was: what another thread held stays locked there for
ever. Threads of ours are in wasmtime and in OpenSSL only within `entered`, and a fork waits until none is. Nobody waits for the
network in there, or runs code of the program's, so that a fork waits for neither.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_gate = threading.Lock()


@contextmanager
def entered() -> Iterator[None]:
    """Held around every call into native code that has locks of its own."""
    with _gate:
        yield


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_gate.acquire, after_in_parent=_gate.release, after_in_child=_gate.release)
