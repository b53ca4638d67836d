"""`python -m keyless.conformance`: what `keyless conformance` speaks with, over standard input and output.

One JSON object per line each way, in the names of the WIT; every request gets exactly one answer, in order.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from . import __version__, component
from .connection import WITHIN, Connection
from .credential import Credential
from .error import Error, InvalidError
from .grant import Grant
from .machine import Broken, Instance
from .opening import open_text
from .plan import Endpoint
from .status import Status


def main() -> None:
    """Answers until standard input ends."""
    driver = _Driver()
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(_line(driver.answer(line)))
        sys.stdout.buffer.flush()


class _Driver:
    def __init__(self) -> None:
        self._connections: dict[str, Connection] = {}
        self._known: dict[str, Callable[[Any], Any]] = {
            "hello": self._hello,
            "plan": self._plan,
            "variables": self._variables,
            "replay": self._replay,
            "open": self._open,
            "credential": lambda asked: _credential(self._named(asked).attempt()),
            "together": self._together,
            "renew": self._renew,
            "reject": lambda asked: self._named(asked).reject(asked["generation"]),
            "status": lambda asked: _status(self._named(asked).status()),
            "close": lambda asked: self._named(asked).close(),
        }

    def answer(self, line: bytes) -> Any:
        """To one request."""
        try:
            ((name, asked),) = json.loads(line).items()
        except (ValueError, AttributeError):
            return {"err": {"invalid": _problem(Error("request-invalid", "a line holds one object with one key"))}}
        if name not in self._known:
            return {"unsupported": name}
        try:
            given = self._known[name](asked)
        except Error as error:
            return {"err": _error(error)}
        except (KeyError, TypeError, ValueError) as reason:
            what = f"`{name}` was asked with a field missing or of another kind: {type(reason).__name__} {reason}"
            return {"err": {"invalid": _problem(Error("request-invalid", what))}}
        return given if name in ("hello", "replay", "together") else {"ok": given}

    def _hello(self, _: Any) -> Any:
        return {"name": f"keyless-credentials for Python {__version__}", "component": component.sha256()}

    def _plan(self, asked: Any) -> Any:
        return _unbroken(lambda: Instance().plan(asked["document"], _pairs(asked)))

    def _variables(self, asked: Any) -> Any:
        return _unbroken(lambda: Instance().variables(asked["document"]))

    def _replay(self, asked: Any) -> Any:
        instance = Instance()
        try:
            instance.open(asked["document"], _pairs(asked))
        except Error as error:
            return {"open": {"err": _error(error)}, "decisions": []}
        decisions = _unbroken(lambda: [_decision(instance, step) for step in asked["steps"]])
        instance.drop()
        return {"open": {"ok": None}, "decisions": decisions}

    def _open(self, asked: Any) -> None:
        grant = asked["grant"]
        self._connections[asked["name"]] = open_text(
            asked["document"],
            dict(_pairs(asked)),
            grant=grant and Grant.of([Endpoint(**each) for each in grant["endpoints"]], grant["files"]),
            lock=None,
            ca_file=asked["ca-file"],
            source=None,
        )

    def _together(self, asked: Any) -> Any:
        connection = self._named(asked)
        given: list[Any] = [None] * asked["callers"]
        start = threading.Barrier(asked["callers"])

        def call(number: int) -> None:
            start.wait()
            try:
                given[number] = connection.attempt().generation
            except Error as error:
                given[number] = {"err": _error(error)}

        callers = [threading.Thread(target=call, args=(number,)) for number in range(len(given))]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        return {"ok": given}

    def _renew(self, asked: Any) -> Any:
        """The keeper renews by itself; this waits until what is due now is over."""
        connection = self._named(asked)
        flight = connection._flight
        before, until = connection.status(), time.monotonic() + WITHIN
        flight.wake()
        while time.monotonic() < until:
            changed = threading.Event()
            flight.wait(changed.set)
            status = flight.progress.status
            due = status.next_attempt_at is not None and status.next_attempt_at <= time.time()
            tried = (status.renewals, status.failures) != (before.renewals, before.failures)
            if not flight.progress.busy and (tried or not due):
                break
            changed.wait(max(0.0, until - time.monotonic()))
        return _credential(connection.attempt())

    def _named(self, asked: Any) -> Connection:
        try:
            return self._connections[asked["name"]]
        except KeyError:
            raise InvalidError("connection-name", "no connection of this name was opened") from None


def _decision(instance: Instance, step: Any) -> Any:
    now = (step["now"]["wall-ms"], step["now"]["monotonic-ms"])
    effects = instance.step(now, _event(step["event"]))
    credential: Any
    try:
        credential = {"ok": instance.credential(now)}
    except Error as error:
        credential = {"err": _error(error)}
    return {
        "effects": effects,
        "credential": credential,
        "wake-at": instance.wake_at(now),
        "busy": instance.busy(),
        "status": instance.status(now),
    }


def _event(event: Any) -> Any:
    """With bytes in the place of base64."""
    if not isinstance(event, dict):
        return event
    ((case, payload),) = event.items()
    if case == "file" and "ok" in payload[1]:
        return {"file": (payload[0], {"ok": base64.b64decode(payload[1]["ok"])})}
    if case == "response" and "ok" in payload[1]:
        response = payload[1]["ok"]
        return {"response": (payload[0], {"ok": {**response, "body": base64.b64decode(response["body"])}})}
    return event


def _unbroken(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Broken as broken:
        raise broken.error from None


def _pairs(asked: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, value in asked["variables"]]


def _credential(credential: Credential) -> Any:
    return {
        "headers": [{"name": name, "value": value} for name, value in credential.headers],
        "base-url": credential.base_url,
        "generation": credential.generation,
        "renew-at": _ms(credential.renew_at),
        "expires-at": _ms(credential.expires_at),
    }


def _status(status: Status) -> Any:
    return {
        "phase": status.phase,
        "generation": status.generation,
        "renewals": status.renewals,
        "failures": status.failures,
        "failures-in-a-row": status.failures_in_a_row,
        "next-attempt-at": _ms(status.next_attempt_at),
        "expires-at": _ms(status.expires_at),
        "last-error": None if status.last_error is None else _error(status.last_error),
        "warnings": [{"code": warning.code, "message": warning.message} for warning in status.warnings],
    }


def _error(error: Error) -> Any:
    return {error.kind: _problem(error)}


def _problem(error: Error) -> Any:
    return {"code": error.code, "message": error.message, "retry-after-ms": _ms(error.retry_after)}


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _line(answer: Any) -> bytes:
    text = json.dumps(
        answer, ensure_ascii=False, separators=(",", ":"), default=lambda raw: base64.b64encode(raw).decode()
    )
    return text.encode() + b"\n"


if __name__ == "__main__":
    main()
