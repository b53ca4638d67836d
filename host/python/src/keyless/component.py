"""The component of this process: compiled once, shared by every connection, safe across `os.fork`."""

from __future__ import annotations

import hashlib
import os
from importlib import metadata
from importlib.resources import files

from wasmtime import Config, Engine, WasmtimeError
from wasmtime.component import Component

from . import compiled_code
from .error import InvalidError

#: Fuel is about one instruction each. The largest document takes less than a hundredth of it.
FUEL_PER_CALL = 1_000_000_000

_loaded: tuple[Engine, Component] | None = None
_code: bytes | None = None
# What a child inherits is left alone, not destroyed: its threads are the parent's.
_inherited: list[object] = []


def wasm() -> bytes:
    """The component as it was shipped."""
    return (files(__package__) / "credential-machine.wasm").read_bytes()


def sha256() -> str:
    """Its digest, in lower-case hex."""
    return hashlib.sha256(wasm()).hexdigest()


def load() -> tuple[Engine, Component]:
    """The compiled component. Call it within `forks.entered`.

    # Errors
    `runtime-engine` where this machine cannot run compiled WebAssembly.
    """
    global _loaded
    if _loaded is None:
        try:
            _loaded = _load()
        except WasmtimeError as reason:
            raise InvalidError(
                "runtime-engine", f"wasmtime cannot run the component here: {reason}; see which platforms it supports"
            ) from None
    return _loaded


def _load() -> tuple[Engine, Component]:
    global _code
    config = Config()
    config.consume_fuel = True
    engine = Engine(config)
    name = f"machine-{sha256()[:16]}-wasmtime-py-{metadata.version('wasmtime')}.cwasm"
    kept = _code or compiled_code.load(name)
    if kept is not None:
        try:
            component = Component.deserialize(engine, kept)
        except WasmtimeError:
            # Of another processor or another wasmtime: made anew.
            kept = None
        else:
            _code = kept
            return engine, component
    component = Component(engine, wasm())
    _code = bytes(component.serialize())
    compiled_code.keep(name, _code)
    return engine, component


def _in_child() -> None:
    global _loaded
    _inherited.append(_loaded)
    _loaded = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
