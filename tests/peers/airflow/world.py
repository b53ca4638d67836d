"""Everything outside the official client: a network that answers whatever is asked, and a disk with a token everywhere.

Nothing else of Airflow, its hook or OpenAI's client is replaced. The network is replaced below the HTTP libraries, so
that what they refuse to put on a wire is refused here too.
"""

import io
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import httpcore2
from openai.auth import _workload

IDENTITY_TOKEN = "identity-token"
ACCESS_TOKEN = "access-token"
AZURE = "http://169.254.169.254/metadata/identity/oauth2/token"
GOOGLE = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity"
EXCHANGE = "https://auth.openai.com/oauth/token"


def identity_token() -> str:
    """What a connection with the provider `custom` names."""
    return IDENTITY_TOKEN


@dataclass
class Request:
    """One request as it was written to the connection."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))


class World:
    """What was asked of the world, in order."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.files: list[str] = []

    def answer(self, request: Request) -> str:
        """What the place that was asked says."""
        self.requests.append(request)
        place = request.url.partition("?")[0]
        if place == AZURE:
            return json.dumps({"access_token": IDENTITY_TOKEN})
        if place == GOOGLE:
            return IDENTITY_TOKEN
        if place == EXCHANGE:
            return json.dumps({"access_token": ACCESS_TOKEN, "expires_in": 3600})
        return json.dumps({"object": "list", "model": "m", "data": [{"index": 0, "embedding": [0.5]}]})

    def open(self, path: object, mode: str) -> io.TextIOBase:
        """As the builtin, on a disk on which every path that can be a file is one."""
        if not isinstance(path, str) or not path or "\0" in path:
            return open(path, mode)  # type: ignore[call-overload, return-value]
        self.files.append(path)
        return io.StringIO(IDENTITY_TOKEN + "\n")


class Connection(httpcore2.NetworkStream):
    """One connection: a request goes in, its answer comes out."""

    def __init__(self, world: World, origin: str) -> None:
        self._world = world
        self._origin = origin
        self._sent = b""
        self._answer = b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._sent += buffer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._sent:
            body = self._world.answer(self._request()).encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            self._sent, self._answer = b"", head.encode() + body
        chunk, self._answer = self._answer[:max_bytes], self._answer[max_bytes:]
        return chunk

    def _request(self) -> Request:
        head, _, body = self._sent.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            name = name.lower()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return Request(method, self._origin + target, headers, body)

    def start_tls(self, *_: object, server_hostname: str | None = None, **__: object) -> "Connection":
        self._origin = self._origin.replace("http://", "https://", 1).removesuffix(":443")
        return self

    def close(self) -> None:
        pass


# Nothing here is encrypted; loading the machine's certificates for every client would take most of the time.
TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextmanager
def around() -> Iterator[World]:
    """The world for as long as the block runs."""
    world = World()

    def connect(_: object, host: str, port: int, *__: object, **___: object) -> Connection:
        return Connection(world, f"http://{host}" if port == 80 else f"http://{host}:{port}")

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("something went past the world that was made for it")

    with (
        mock.patch.object(httpcore2.SyncBackend, "connect_tcp", connect),
        mock.patch.object(httpcore2, "default_ssl_context", lambda **_: TRUST),
        mock.patch.object(_workload, "open", world.open, create=True),
        mock.patch.object(socket, "getaddrinfo", forbidden),
        mock.patch.object(socket.socket, "connect", forbidden),
    ):
        yield world
