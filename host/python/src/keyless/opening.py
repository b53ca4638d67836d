"""From a document to a connection: the plan, the grant made from it, and nothing that was not asked for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from . import lock as lock_file
from .connection import Connection
from .documents import Document, text_of
from .error import DeniedError, InvalidError
from .flight import Flight
from .grant import Grant
from .keeper import Recipe
from .machine import Broken, Instance, Variables
from .plan import Plan, plan_of
from .source import Source
from .trust import Trust

StrPath = str | os.PathLike[str]


def plan(document: Document | None = None, *, variables: Mapping[str, str] | None = None) -> Plan:
    """The document as it is understood, and all that it needs. No I/O but for finding the document.

    # Errors
    `InvalidError` of the engine, naming the field; those of finding the document.
    """
    environment = os.environ if variables is None else variables
    planned, _ = _planned(text_of(document, environment), environment, None)
    return planned


def open(
    document: Document | None = None,
    *,
    variables: Mapping[str, str] | None = None,
    grant: Grant | None = None,
    lock: StrPath | None = None,
    ca_file: StrPath | None = None,
    source: Source | None = None,
) -> Connection:
    """Opens a connection. Nothing is sent before the first credential is asked for.

    - `document`: text (JSON or a URI), a mapping, `@FILE`, or a name from `keyless.toml`; without one, looked for as the
      command does.
    - `variables`: instead of the environment. Only those that the document reads are handed over.
    - `grant`: what it may do. Default: all that the plan requires. What is beyond is denied when it is tried.
    - `lock`: a file that `keyless plan --lock` wrote; what the document needs beyond it is refused here.
    - `ca_file`: PEM, trusted beside the system's roots.
    - `source`: gives the identity token for a document of the source `custom`, in the place of its component.

    # Errors
    `InvalidError` for the document, the lock file or the CA file; `DeniedError` for what is not granted.
    """
    environment = os.environ if variables is None else variables
    return open_text(
        text_of(document, environment), environment, grant=grant, lock=lock, ca_file=ca_file, source=source
    )


async def open_async(
    document: Document | None = None,
    *,
    variables: Mapping[str, str] | None = None,
    grant: Grant | None = None,
    lock: StrPath | None = None,
    ca_file: StrPath | None = None,
    source: Source | None = None,
) -> Connection:
    """As `open`, on a thread of the loop's pool: the component may have to be compiled first, which takes 0.2 s."""
    return await asyncio.to_thread(
        open, document, variables=variables, grant=grant, lock=lock, ca_file=ca_file, source=source
    )


def open_text(
    document: str,
    environment: Mapping[str, str],
    *,
    grant: Grant | None,
    lock: StrPath | None,
    ca_file: StrPath | None,
    source: Source | None,
) -> Connection:
    """As `open`, for a document's own text."""
    locked = None if lock is None else lock_file.read(lock)
    planned, handed_over = _planned(document, environment, grant)
    needed = planned.requirements
    if locked is not None:
        locked.check(needed)
    granted = grant or Grant.for_requirements(needed)
    if not granted.presents(needed.client_certificate):
        # Without it every request would be refused by somebody who cannot say why.
        granted.check(needed)
    if needed.source_component is not None and source is None:
        raise DeniedError(
            "custom-source-missing",
            f"the document takes its identity token from the component `{needed.source_component.path}`, which this host does "
            "not run; give open() a callable as `source`, or use the command",
        )
    trust = Trust(ca_file, needed.client_certificate)
    alone = any(setting.name == "exchange.instance" for setting in planned.settings)
    recipe = Recipe(document, handed_over, granted, trust, source, alone)
    return Connection(Flight(recipe.keep), planned)


def _planned(document: str, environment: Mapping[str, str], grant: Grant | None) -> tuple[Plan, Variables]:
    try:
        instance = Instance()
        names = [name for name in instance.variables(document) if grant is None or grant.hands_over(name)]
        handed_over = [(name, _value(name, environment)) for name in names if name in environment]
        return plan_of(instance.plan(document, handed_over)), handed_over
    except Broken as broken:
        raise broken.error from None


def _value(name: str, environment: Mapping[str, str]) -> str:
    value = environment[name]
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidError(
            "variable-not-unicode",
            f"the environment variable {name} holds {len(os.fsencode(value))} bytes that are not UTF-8; set it again as text",
        ) from None
    return value
