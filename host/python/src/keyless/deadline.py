"""One deadline for a whole request, and a stream that keeps to it.

A socket's time-out starts anew with every byte, so that an endpoint that drips could hold a request for ever. Here each
operation gets what is left.
"""

from __future__ import annotations

import io
import selectors
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from . import clock
from .forks import entered

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_T = TypeVar("_T")
#: The one that needs no descriptor, where there is one.
_Selector = getattr(selectors, "PollSelector", selectors.DefaultSelector)


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
    """What is sent on a connection, and what it answers. Stands in for a socket where `http.client` wants one.

    It waits beside the socket and not in it: nobody is in OpenSSL for longer than a step takes.
    """

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._deadline = deadline
        self._buffered = io.BufferedReader(self)

    def shake_hands(self) -> None:
        """Where there is TLS. Raises `ssl.SSLError`."""
        if isinstance(self._socket, ssl.SSLSocket):
            self._step(self._socket.do_handshake, selectors.EVENT_READ)

    def send(self, content: bytes) -> None:
        """All of it."""
        rest = memoryview(content)
        while rest:
            rest = rest[self._step(lambda: self._socket.send(rest), selectors.EVENT_WRITE) :]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._step(lambda: self._socket.recv_into(cast(memoryview, buffer)), selectors.EVENT_READ)

    def makefile(self, mode: str) -> io.BufferedReader[Stream]:
        """One reader for all answers on this connection: an interim answer may come with the next in one piece."""
        return self._buffered

    def _step(self, operation: Callable[[], _T], event: int) -> _T:
        """`event`: what it waits for where there is no TLS, which says so itself."""
        while True:
            self._deadline.left()
            try:
                with entered():
                    return operation()
            except ssl.SSLWantReadError:
                self._wait(selectors.EVENT_READ)
            except ssl.SSLWantWriteError:
                self._wait(selectors.EVENT_WRITE)
            except BlockingIOError:
                self._wait(event)

    def _wait(self, event: int) -> None:
        with _Selector() as selector:
            selector.register(self._socket, event)
            selector.select(self._deadline.left())
