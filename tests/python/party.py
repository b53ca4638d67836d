"""A party on loopback that behaves as a test wants, and counts who connects."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable

Behaviour = Callable[[socket.socket], None]


class Party:
    """Listens on `port` for as long as the block lasts; each connection is handed to `behave`, on a thread of its own."""

    def __init__(self, behave: Behaviour, context: ssl.SSLContext | None = None) -> None:
        self._behave = behave
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.over = threading.Event()

    def __enter__(self) -> Party:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                if self._context is None:
                    self._behave(connection)
                else:
                    with self._context.wrap_socket(connection, server_side=True) as session:
                        self._behave(session)
            except OSError:
                return


def request_of(connection: socket.socket) -> bytes:
    """One request, head and body."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return received
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


def answering(answer: bytes) -> Behaviour:
    """Reads the request, sends these bytes, closes."""

    def behave(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(answer)

    return behave
