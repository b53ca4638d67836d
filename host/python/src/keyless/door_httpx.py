"""A door for whatever sends with httpx or httpx2, OpenAI's and Anthropic's clients among them."""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator, Generator
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .connection import Connection
from .credential import Credential
from .error import InvalidError

if TYPE_CHECKING:
    import httpx


def httpx_auth(connection: Connection) -> Any:
    """For `auth=` of an `httpx` or `httpx2` client: sets the credential's headers on every request. After a 401 it rejects
    the credential, waits for the next one and sends the request once more, unless its body came from a stream.

    A request to another origin than `connection.base_url` is refused (`request-elsewhere`) before it is sent.

    # Errors
    `ImportError` where neither is installed.
    """
    return _kind()(connection)


@cache
def _kind() -> type:
    """An `Auth` of each of the two that is installed: clients look for their own."""
    bases: list[type] = []
    for name in ("httpx2", "httpx"):
        try:
            bases.append(importlib.import_module(name).Auth)
        except ImportError:
            continue
    if not bases:
        raise ImportError("httpx_auth needs httpx or httpx2; install one of them, or keyless-credentials[httpx]")
    return type("KeylessAuth", (_Auth, *bases), {})


class _Auth:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        credential = self._connection.credential()
        self._set(request, credential)
        response = yield request
        if response.status_code == 401:
            self._connection.reject(credential.generation)
            again = self._connection.credential()
            if again.generation != credential.generation and _whole(request):
                self._set(request, again)
                yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        credential = await self._connection.credential_async()
        self._set(request, credential)
        response = yield request
        if response.status_code == 401:
            self._connection.reject(credential.generation)
            again = await self._connection.credential_async()
            if again.generation != credential.generation and _whole(request):
                self._set(request, again)
                yield request

    def _set(self, request: httpx.Request, credential: Credential) -> None:
        if _origin(str(request.url)) != _origin(credential.base_url):
            raise InvalidError(
                "request-elsewhere",
                f"the credential opens {credential.base_url} and is not sent to {request.url.host}; use another client there",
            )
        request.headers.update(credential.headers)

    def __repr__(self) -> str:
        return f"httpx_auth({self._connection!r})"


def _whole(request: httpx.Request) -> bool:
    """Whether the body can be sent once more."""
    try:
        return request.content is not None
    except Exception:
        # RequestNotRead, of either library: a stream that is used up.
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
