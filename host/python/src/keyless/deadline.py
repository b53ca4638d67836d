"""One deadline for a whole request, and a stream that keeps to it.

A socket's time-out starts anew with every byte, so that an endpoint that drips could hold a request for ever. Here each
operation gets what is left.
"""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING, cast

from . import clock

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Deadline:
    """A moment on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self.moment = clock.monotonic() + seconds

    def left(self) -> float:
        """In seconds. Raises `TimeoutError` when nothing is left."""
        left = self.moment - clock.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Stream(io.RawIOBase):
    """What a connection answers. Stands in for a socket where `http.client` wants one."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline
        self._buffered = io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._socket.settimeout(self._deadline.left())
        return self._socket.recv_into(cast(memoryview, buffer))

    def makefile(self, mode: str) -> io.BufferedReader[Stream]:
        """One reader for all answers on this connection: an interim answer may come with the next in one piece."""
        return self._buffered
