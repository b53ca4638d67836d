"""The thread that keeps one document's credential fresh: it tells the engine what happened, publishes what it says.

The engine decides what to do: when to renew, how long to back off. The keeper steps it at the right moments, never
hides a valid credential because of a failure, and never publishes one past its end. When an instance breaks, another
takes its place, and generations and counters go on where they were.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from queue import Empty
from typing import Any

from . import clock
from .credential import Held, credential_of
from .errands import Ended, Errands
from .error import Error, InvalidError, UnavailableError, close_timeout, error_of
from .flight import CLOSE, STOP, Flight, Progress
from .grant import Grant
from .machine import Broken, Instance, Now, Variables
from .source import Source
from .status import Status, status_of
from .trust import Trust

#: The longest sleep without a look at the clocks, in seconds: after a suspend, timers are late by as long as it lasted.
_LOOK = 30.0
#: What is taken in before readers hear of it.
_AT_ONCE = 256
#: The longest pause before a broken instance is replaced.
_MAX_PAUSE = 300.0
_FORKED = (
    "`exchange.instance` says that one process at a time makes keys by this name, and this is a fork of it: each would delete "
    "what the other uses; open the connection after the fork, with an `instance` of its own or with none"
)


@dataclass(frozen=True)
class Recipe:
    """All it takes to open the document, and to open it once more."""

    document: str = field(repr=False)
    variables: Variables = field(repr=False)
    grant: Grant
    trust: Trust
    source: Source | None
    #: Whether the document says that one process at a time has it, so that what others made is taken for a former life's.
    alone: bool = False

    def keep(self, flight: Flight) -> Error | None:
        """Keeps its credential until the flight is stopped or closed. What could not be deleted at the end."""
        return _Keeper(self, flight).run()


class _Keeper:
    def __init__(self, recipe: Recipe, flight: Flight) -> None:
        self._recipe = recipe
        self._flight = flight
        self._inbox = flight.inbox
        self._instance: Instance | None = None
        self._errands = self._new_errands()
        # What the instances before the present one had counted, and what it had when it was asked last. A child of
        # `os.fork` goes on from its parent's.
        self._before = flight.progress.status
        self._present = Status()
        self._broken_in_a_row = 0
        self._not_before = 0.0
        self._told = flight.rejected
        self._wake_at: int | None = None

    def run(self) -> Error | None:
        try:
            end = None
            while end is None:
                end = self._turn()
            return self._close() if end is CLOSE else None
        finally:
            self._errands.stop()
            if self._instance is not None:
                self._instance.drop()

    def _turn(self) -> Any:
        """Waits, steps, publishes. `STOP` or `CLOSE` when it is over."""
        happened = self._next(self._pause())
        if happened is STOP or happened is CLOSE:
            return happened
        self._try("tick")
        for _ in range(_AT_ONCE):
            if happened is STOP or happened is CLOSE:
                return happened
            # A tick has been stepped already, however many callers asked for one.
            if isinstance(happened, Ended):
                self._end(happened)
            elif happened not in (None, "tick"):
                self._try(happened)
            happened = self._next(0.0)
            if happened is None:
                break
        else:
            self._inbox.put(happened)
        for late in self._errands.overdue():
            self._end(late)
        self._publish()
        return None

    def _close(self) -> Error | None:
        """Goes on with the session until it has deleted what it made. What is left of that."""
        self._errands.stop()
        instance = self._instance
        if instance is None:
            return None
        try:
            instance.close(_now())
            happened: Any = "tick"
            while True:
                if happened is STOP:
                    # Who waited for it waits no longer.
                    return close_timeout()
                if not isinstance(happened, Ended):
                    self._step("tick")
                elif self._errands.awaited(happened):
                    self._step(happened.happened)
                for late in self._errands.overdue():
                    if self._errands.awaited(late):
                        self._step(late.happened)
                if instance.closed():
                    return None
                self._wake_at = instance.wake_at(_now())
                happened = self._next(self._pause())
        except Broken as broken:
            return UnavailableError(
                broken.error.code,
                "the component broke at the end of the connection; service accounts that it made and did not delete lapse, "
                "as their names say",
            )
        except Error as left:
            return left

    def _next(self, pause: float | None) -> Any:
        try:
            return self._inbox.get(timeout=pause) if pause != 0.0 else self._inbox.get_nowait()
        except Empty:
            return None

    def _pause(self) -> float | None:
        """In seconds, until something is due; `None`: until something happens."""
        if self._instance is None:
            return max(0.0, self._not_before - clock.monotonic())
        wake = self._wake_at
        deadline = self._errands.next_deadline()
        if wake is None and deadline is None:
            return None
        soon = [_LOOK]
        if wake is not None:
            soon.append((wake - clock.monotonic_ms()) / 1000 + 0.001)
        if deadline is not None:
            soon.append(deadline - clock.monotonic())
        return max(0.001, min(soon))

    def _end(self, ended: Ended) -> None:
        if self._errands.awaited(ended):
            self._try(ended.happened)

    def _try(self, happened: Any) -> None:
        if isinstance(happened, dict) and "reject" in happened:
            self._told = max(self._told, happened["reject"])
        if self._instance is None and clock.monotonic() < self._not_before:
            return
        try:
            self._step(happened)
        except Broken as broken:
            self._replace(broken.error)
        except Error as error:
            # The document does not open, though its plan could be made.
            self._replace(error)

    def _step(self, happened: Any) -> None:
        if self._instance is None:
            if self._recipe.alone and self._flight.forked:
                raise InvalidError("instance-forked", _FORKED)
            instance = Instance()
            instance.open(self._recipe.document, self._recipe.variables)
            self._instance = instance
        if isinstance(happened, dict) and "reject" in happened:
            # What an earlier instance handed out means nothing to this one; it starts with none anyhow.
            generation = happened["reject"] - self._before.generation
            if generation <= 0:
                happened = "tick"
            else:
                happened = {"reject": generation}
        for effect in self._instance.step(_now(), happened):
            self._errands.begin(effect)

    def _publish(self) -> None:
        instance = self._instance
        if instance is None:
            return
        try:
            now = _now()
            record, failure = None, None
            try:
                record = instance.credential(now)
            except Error as error:
                failure = error
            busy = instance.busy()
            self._present = status_of(instance.status(now))
            self._wake_at = instance.wake_at(now)
        except Broken as broken:
            self._replace(broken.error)
            return
        self._broken_in_a_row = 0
        before = self._flight.progress
        pending = record is None and failure is None
        status = self._present.after(self._before)
        held = self._held(record, failed=failure is not None)
        if held is not None and held.due(status.next_attempt_at) is held:
            # The same moment, told in the same words.
            status = replace(status, next_attempt_at=held.credential.renew_at)
        self._flight.publish(
            held,
            _LOOK if self._wake_at is not None or busy else float("inf"),
            Progress(
                status=status,
                busy=busy or pending,
                error=failure or status.last_error,
                handled=before.handled if pending else self._told,
            ),
        )

    def _held(self, record: dict[str, Any] | None, failed: bool) -> Held | None:
        held = self._flight.held
        if record is not None:
            credential = credential_of(record, self._before.generation)
            same = held is not None and held.credential.generation == credential.generation
            return held.due(credential.renew_at) if held is not None and same else Held(credential)
        if held is None or not held.usable():
            return None
        of_this_instance = held.credential.generation > self._before.generation
        if self._told >= held.credential.generation:
            # Refused by the API: it goes when its successor fails to come, too.
            return None if failed else held
        # An earlier instance's is good until it ends; of its own the engine knows better.
        return None if of_this_instance else held

    def _replace(self, error: Error) -> None:
        self._errands.stop()
        self._errands = self._new_errands()
        self._instance = None
        pause = min(2.0**self._broken_in_a_row, _MAX_PAUSE)
        self._broken_in_a_row += 1
        self._not_before = clock.monotonic() + pause
        failed = replace(
            self._present.after(self._before), last_error=error_of(error.kind, error.code, error.message, pause)
        )
        held = self._flight.held
        held = held if held is not None and held.usable() else None
        self._before = replace(
            failed,
            phase="failed" if held is None else "waiting",
            failures=failed.failures + 1,
            failures_in_a_row=failed.failures_in_a_row + 1,
            next_attempt_at=clock.wall() + pause,
        )
        self._present = Status()
        self._flight.publish(
            held, pause, Progress(self._before, busy=False, error=self._before.last_error, handled=self._told)
        )

    def _new_errands(self) -> Errands:
        recipe = self._recipe
        return Errands(recipe.grant, recipe.trust, recipe.source, self._inbox.put)


def _now() -> Now:
    return clock.wall_ms(), clock.monotonic_ms()
