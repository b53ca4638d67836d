"""Asking the program for an identity token: the source `custom`, as a Python callable."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

#: Gets the audience, where the document says one, and gives the identity token. May be an `async def`, which then runs
#: on an event loop of its own.
Source = Callable[["str | None"], "str | Awaitable[str]"]


def ask(source: Source, audience: str | None) -> dict[str, Any]:
    """`{"ok": token}`, or `{"err": source-fault}` with the words of what was raised."""
    try:
        token = source(audience)
        if inspect.isawaitable(token):
            token = asyncio.run(_awaited(token))
    except Exception as reason:
        # The engine shows one line of it, without what could be a token.
        return {"err": {"failed": f"{type(reason).__name__}: {reason}"}}
    if not isinstance(token, str):
        return {"err": {"failed": f"the source gave {type(token).__name__}, not text"}}
    return {"ok": token}


async def _awaited(token: Awaitable[str]) -> str:
    return await token
