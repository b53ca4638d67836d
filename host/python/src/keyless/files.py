"""Reading the files that were granted: regular ones only, up to a limit, anew each time."""

from __future__ import annotations

import errno
import os
import stat


class Unreadable(Exception):
    """Why a file could not be read: a case of `file-fault`."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


def read(path: str, limit: int) -> bytes:
    """The whole file. Raises `Unreadable`."""
    try:
        # Without waiting: opening a pipe would block until somebody writes.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
    except IsADirectoryError:
        raise Unreadable("not-a-file") from None
    except OSError as reason:
        missing = reason.errno in (errno.ENOENT, errno.ENOTDIR)
        raise Unreadable("missing" if missing else "failed") from None
    except ValueError:
        # A path with a NUL names nothing.
        raise Unreadable("missing") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable("not-a-file")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    except OSError:
        raise Unreadable("failed") from None
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise Unreadable("too-large")
    return content
