"""Work that can take long, in threads that stay.

A thread that has used OpenSSL and ends is in there once more, where no lock of ours can hold a fork back. So a thread waits
for more work instead; only where many worked at once do some of them end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

#: More do not wait.
_MOST = 16

_Work = Callable[[], None]
_idle: list[SimpleQueue[_Work]] = []


def apart(work: _Work) -> bool:
    """Has it done beside whatever is done. False where no thread can be started."""
    try:
        inbox = _idle.pop()
    except IndexError:
        inbox = SimpleQueue()
        try:
            threading.Thread(target=_serve, args=[inbox], name="keyless-worker", daemon=True).start()
        except RuntimeError:
            # Too many, or the interpreter is on its way out.
            return False
    inbox.put(work)
    return True


def _serve(inbox: SimpleQueue[_Work]) -> None:
    while True:
        # Without a name: while it waits, nothing of what was done is held.
        inbox.get()()
        if len(_idle) >= _MOST:
            return
        _idle.append(inbox)


if hasattr(os, "register_at_fork"):
    # They are the parent's.
    os.register_at_fork(after_in_child=_idle.clear)
