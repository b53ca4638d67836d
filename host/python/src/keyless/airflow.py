"""Airflow's OpenAI hook with a key that is always fresh. One import line is all that changes in a DAG:

    from keyless.airflow import OpenAIHook  # was: from airflow.providers.openai.hooks.openai import OpenAIHook

Connections stay as they are: URI or JSON, API key or workload identity, `custom` with its Python function included.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson
from airflow.providers.common.compat.module_loading import import_string
from airflow.providers.openai.hooks.openai import OpenAIHook as _OpenAIHook
from openai import AsyncOpenAI, DefaultAsyncHttpx2Client, DefaultHttpx2Client, OpenAI

from .connection import Connection
from .door_httpx import httpx_auth
from .opening import open as open_connection
from .source import Source

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection as Stored

#: One exchange for all hooks of a process that use the same connection, as long as a client of it is there.
_open: weakref.WeakValueDictionary[str, Connection] = weakref.WeakValueDictionary()


class OpenAIHook(_OpenAIHook):
    """As Airflow's own; its clients take their key from Keyless, and send a request that was answered 401 once more.

    `$KEYLESS_CA_CERT` names a PEM file to trust at the token endpoint, `$KEYLESS_LOCKED` a lock file to hold connections
    to, as for the command.
    """

    def get_conn(self) -> OpenAI:
        """A client of OpenAI's. Raises `keyless.Error` where the connection is wrong or not granted."""
        stored = self.get_connection(self.conn_id)
        connection, arguments = _connect(stored, stored.extra_dejson)
        return OpenAI(
            api_key=connection.token,
            base_url=connection.base_url,
            http_client=DefaultHttpx2Client(auth=httpx_auth(connection)),
            **arguments,
        )

    async def aget_conn(self) -> AsyncOpenAI:
        """The same for an event loop, which it does not block. Close it, as Airflow's own."""
        stored = await get_async_connection(self.conn_id, hook=self)
        extra = await get_async_extra_dejson(stored)
        connection, arguments = await asyncio.to_thread(_connect, stored, extra)
        return AsyncOpenAI(
            api_key=connection.token_async,
            base_url=connection.base_url,
            http_client=DefaultAsyncHttpx2Client(auth=httpx_auth(connection)),
            **arguments,
        )


def _connect(stored: Stored, extra: dict[str, Any]) -> tuple[Connection, dict[str, Any]]:
    """The connection, and what else the client is to be given."""
    arguments = dict(extra.get("openai_client_kwargs") or {})
    for taken in ("api_key", "base_url"):
        arguments.pop(taken, None)
    extra, source = _custom(extra)
    fields = {name: getattr(stored, name) for name in ("conn_type", "host", "schema", "login", "password", "port")}
    document = json.dumps({**{name: value for name, value in fields.items() if value is not None}, "extra": extra})
    ca_file, lock = os.environ.get("KEYLESS_CA_CERT") or None, os.environ.get("KEYLESS_LOCKED") or None
    # The document can hold a key, so that its digest is what is kept.
    key = hashlib.sha256(json.dumps([document, ca_file, lock]).encode()).hexdigest()
    connection = _open.get(key)
    if connection is None:
        connection = open_connection(json.loads(document), ca_file=ca_file, lock=lock, source=source)
        _open[key] = connection
    return connection, arguments


def _custom(extra: dict[str, Any]) -> tuple[dict[str, Any], Source | None]:
    """Airflow's `custom` names a Python function. The engine asks its host for the token, the host asks the function."""
    function = extra.get("token_provider")
    if extra.get("workload_identity_provider") != "custom" or not function or "token_source_component" in extra:
        return extra, None
    get_token: Callable[[], str] = import_string(function)
    others = {name: value for name, value in extra.items() if name != "token_provider"}
    return {**others, "token_source_component": f"python:{function}"}, lambda audience: get_token()
