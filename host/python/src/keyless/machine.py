"""`wit/machine.wit` over wasmtime: the engine as it is, in an instance of its own for each connection."""

from __future__ import annotations

from typing import Any

from wasmtime import Store, WasmtimeError
from wasmtime.component import Func, Linker, ResourceAny, Variant

from . import component, wire
from .error import Error, UnavailableError
from .forks import entered

_INTERFACE = "keyless:credentials/machine@0.1.0"
_STATIC = ("variables", "plan", "open")
_METHODS = ("step", "credential", "wake-at", "busy", "status", "close", "closed")
_MEMORY = 16 << 20

#: Wall clock and monotonic clock, in milliseconds.
Now = tuple[int, int]
Variables = list[tuple[str, str]]


class Broken(Exception):
    """The instance trapped. It cannot be used again; `error` is what to tell."""

    def __init__(self, error: Error) -> None:
        super().__init__(str(error))
        self.error = error


class Instance:
    """One instance of the component, with at most one session open. Not for two threads at once."""

    def __init__(self) -> None:
        with entered():
            engine, compiled = component.load()
            self._store = Store(engine)
            self._store.set_limits(memory_size=_MEMORY)
            self._store.set_fuel(component.FUEL_PER_CALL)
            try:
                instance = Linker(engine).instantiate(self._store, compiled)
            except WasmtimeError as reason:
                raise Broken(_why(reason)) from None
            interface = instance.get_export_index(self._store, _INTERFACE)
            self._functions: dict[str, Func] = {}
            for kind, names in (("static", _STATIC), ("method", _METHODS)):
                for name in names:
                    index = instance.get_export_index(self._store, f"[{kind}]session.{name}", interface)
                    function = None if index is None else instance.get_func(self._store, index)
                    if function is None:
                        raise Broken(UnavailableError("component-invalid", f"the component does not export {name}"))
                    self._functions[name] = function
        self._session: ResourceAny | None = None

    def variables(self, document: str) -> list[str]:
        """The variables that the document reads. Raises `Error`, as the next two do; all raise `Broken`."""
        return list(_or_error(self._call("variables", document)))

    def plan(self, document: str, variables: Variables) -> dict[str, Any]:
        """The record `connection-plan`."""
        planned: dict[str, Any] = wire.plain(_or_error(self._call("plan", document, variables)))
        return planned

    def open(self, document: str, variables: Variables) -> None:
        """Opens the session of this instance."""
        session: ResourceAny = _or_error(self._call("open", document, variables))
        self._session = session

    def step(self, now: Now, event: wire.Value) -> list[Any]:
        """Tells what happened; the effects that are wanted, each the variant `effect`."""
        return [wire.plain(effect) for effect in self._ask("step", wire.moment(*now), wire.event(event))]

    def credential(self, now: Now) -> dict[str, Any] | None:
        """The record `credential`; `None` while an attempt is under way or due. Raises `Error` where there is none."""
        given: dict[str, Any] | None = wire.plain(_or_error(self._ask("credential", wire.moment(*now))))
        return given

    def wake_at(self, now: Now) -> int | None:
        """The monotonic moment, in milliseconds, at which to step at the latest."""
        moment: int | None = self._ask("wake-at", wire.moment(*now))
        return moment

    def busy(self) -> bool:
        """Whether an attempt is under way."""
        return bool(self._ask("busy"))

    def status(self, now: Now) -> dict[str, Any]:
        """The record `status`."""
        status: dict[str, Any] = wire.plain(self._ask("status", wire.moment(*now)))
        return status

    def close(self, now: Now) -> None:
        """Begins the end of the session: it deletes what it made, for as long as it is stepped."""
        self._ask("close", wire.moment(*now))

    def closed(self) -> bool:
        """Whether that is done. Raises `Error` where it is and something is left."""
        ended: Variant = self._ask("closed")
        if ended.tag == "none":
            return False
        _or_error(ended.payload)
        return True

    def drop(self) -> None:
        """Lets the session go, whatever it made; the engine wipes what it held."""
        session, self._session = self._session, None
        if session is not None:
            with entered():
                try:
                    self._store.set_fuel(component.FUEL_PER_CALL)
                    session.drop(self._store)
                except WasmtimeError:
                    # An instance that trapped takes its session with it.
                    return

    def _ask(self, name: str, *parameters: Any) -> Any:
        return self._call(name, self._session, *parameters)

    def _call(self, name: str, *parameters: Any) -> Any:
        with entered():
            try:
                self._store.set_fuel(component.FUEL_PER_CALL)
                return self._functions[name](self._store, *parameters)
            except WasmtimeError as reason:
                # Without its cause: a traceback would hold the parameters.
                raise Broken(_why(reason)) from None


def _or_error(result: Any) -> Any:
    """A result's value. Only its error is a variant: wasmtime hands over either without saying which."""
    if isinstance(result, Variant):
        raise wire.error(wire.plain(result))
    return result


def _why(reason: WasmtimeError) -> Error:
    if "fuel" in str(reason):
        return UnavailableError(
            "component-cpu-limit", "the component used up its processor time; a fresh instance takes its place", 1.0
        )
    return UnavailableError("component-trapped", "the component trapped; a fresh instance takes its place", 1.0)
