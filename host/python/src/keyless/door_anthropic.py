"""A door for Anthropic's official client: its `credentials`."""

from __future__ import annotations

import importlib
from typing import Any

from .connection import Connection
from .credential import Credential


def anthropic_credentials(connection: Connection) -> Any:
    """For `credentials=` of `Anthropic`. The client asks it before every request, and after a 401 once more.

    # Errors
    `ImportError` where the client is not installed, or has no `credentials` yet.
    """
    return _Provider(connection)


def anthropic_credentials_async(connection: Connection) -> Any:
    """The same for `AsyncAnthropic`, on its event loop."""
    return _AsyncProvider(connection)


class _Door:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._access_token = importlib.import_module("anthropic.lib.credentials").AccessToken
        # Of the credential that was handed out last: the client does not say which one a 401 was for.
        self._generation = 0

    def _refused(self) -> None:
        self._connection.reject(self._generation)

    def _handed_out(self, credential: Credential) -> Any:
        self._generation = credential.generation
        # No time at all: the client then keeps nothing by itself, because this is kept fresh already.
        return self._access_token(credential.token, expires_at=0)


class _Provider(_Door):
    def __call__(self, *, force_refresh: bool = False) -> Any:
        if force_refresh:
            self._refused()
        return self._handed_out(self._connection.credential())


class _AsyncProvider(_Door):
    async def __call__(self, *, force_refresh: bool = False) -> Any:
        if force_refresh:
            self._refused()
        return self._handed_out(await self._connection.credential_async())
