"""Single flight: one keeper asks for a credential, any number of callers read and wait for what comes of it.

Callers read `held` without a lock. Those who have to wait leave a callback, which is called once, by the keeper, when
anything has changed. What goes to the keeper goes through `inbox`, which is safe in a finalizer, too.
"""

from __future__ import annotations

import os
import random
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Any

from . import clock
from .credential import Held
from .error import Error, UnavailableError, anew, closed
from .status import Status

#: What ends a keeper, and leaves behind what was made.
STOP = object()
#: What has it delete that first.
CLOSE = object()
#: Seconds by which a keeper may be late before readers see to it that there is one.
_GRACE = 5.0

_all: weakref.WeakSet[Flight] = weakref.WeakSet()


@dataclass(frozen=True)
class Progress:
    """How far the keeper is."""

    status: Status = field(default_factory=Status)
    #: An attempt is under way, or the first one is about to start.
    busy: bool = True
    #: Why there is no credential, or why the last attempt failed.
    error: Error | None = None
    #: The highest rejected generation that has been dealt with.
    handled: int = 0
    closed: bool = False


class Flight:
    """What the keeper and the callers share. `keep` runs in the keeper's thread until it finds `STOP` or `CLOSE`, and gives
    what is to be told to those who wait for its end."""

    def __init__(self, keep: Callable[[Flight], Error | None]) -> None:
        self.held: Held | None = None
        self.progress = Progress()
        #: The highest generation that an API answered 401 to.
        self.rejected = 0
        self.inbox: SimpleQueue[Any] = SimpleQueue()
        #: A child of `os.fork`, whose parent goes on with the same.
        self.forked = False
        self._keep = keep
        self._gate = threading.Lock()
        self._waiting: list[Callable[[], None]] = []
        self._thread: threading.Thread | None = None
        self._kept = False
        self._end: Future[Error | None] | None = None
        _all.add(self)

    def verdict(self) -> Held | None:
        """The credential; `None` to wait on. Raises the error that ends the waiting."""
        progress, held = self.progress, self.held
        if progress.closed:
            raise closed()
        pending = self.rejected > progress.handled
        if held is not None and held.usable() and not (pending and held.credential.generation <= self.rejected):
            return held
        if not pending and not progress.busy and progress.error is not None and not progress.error.heals:
            raise anew(progress.error)
        return None

    def failure(self) -> Error | None:
        """Why the last attempt failed, once it is over."""
        progress = self.progress
        return None if progress.busy or self.rejected > progress.handled else progress.error

    def wait(self, called: Callable[[], None]) -> None:
        """Has this called once, when anything has changed."""
        with self._gate:
            self._waiting.append(called)

    def forget(self, called: Callable[[], None]) -> None:
        """It is no longer to be called."""
        with self._gate:
            if called in self._waiting:
                self._waiting.remove(called)

    def wake(self) -> None:
        """Sees to it that there is a keeper, and has it look around.

        # Errors
        `runtime-thread` where no thread can be started.
        """
        self.inbox.put("tick")
        with self._gate:
            if self.progress.closed or self._kept:
                return
            self._thread = threading.Thread(target=self._run, name="keyless", daemon=True)
            try:
                self._thread.start()
                self._kept = True
            except RuntimeError as reason:
                self._thread = None
                raise Error(
                    "runtime-thread", f"no thread can be started to keep the credential: {reason}", 1.0
                ) from None

    def reject(self, generation: int) -> None:
        """The API does not take the credential of this generation. Nothing happens unless it is the one held."""
        with self._gate:
            held = self.held
            if held is None or held.credential.generation != generation or generation <= self.rejected:
                return
            self.rejected = generation
            self.held = held.doubted()
        self.inbox.put({"reject": generation})
        self.wake()

    def publish(self, held: Held | None, fresh_for: float, progress: Progress) -> None:
        """From the keeper: readers see this, and those who wait hear of it."""
        with self._gate:
            if self.progress.closed:
                return
            doubted = held is not None and progress.handled < self.rejected >= held.credential.generation
            if held is not None:
                held = held.doubted() if doubted else held.again(fresh_for + _GRACE)
            self.held, self.progress = held, progress
            waiting, self._waiting = self._waiting, []
        for called in waiting:
            called()

    def stop(self) -> None:
        """Ends the keeper. Takes no lock: a finalizer may be run anywhere."""
        self.inbox.put(STOP)

    def close(self) -> Future[Error | None]:
        """Nothing will come any more: no credential for readers, an end for those who wait. What was made is deleted; the
        future holds what is left of it. The same future each time."""
        with self._gate:
            if self._end is not None:
                return self._end
            end = self._end = Future()
            # From now on nobody who waits can cancel it for the others.
            end.set_running_or_notify_cancel()
            status = replace(self.progress.status, phase="closed", next_attempt_at=None, expires_at=None)
            self.held, self.progress = None, replace(self.progress, status=status, busy=False, closed=True)
            waiting, self._waiting = self._waiting, []
            if not self._kept:
                # Nobody ever asked, or the keeper is the parent's: there is nothing to delete.
                end.set_result(None)
        self.inbox.put(CLOSE)
        for called in waiting:
            called()
        return end

    def join(self, seconds: float) -> None:
        """Waits for the keeper's thread to end."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)

    def kept_here(self) -> bool:
        """Whether this is the keeper's thread, which cannot wait for its own end."""
        return self._thread is threading.current_thread()

    def _run(self) -> None:
        left: Error | None = UnavailableError("runtime-thread", "the thread that kept the credential broke off")
        try:
            left = self._keep(self)
        finally:
            with self._gate:
                self._kept = False
                end = self._end
            if end is not None:
                end.set_result(left)

    def in_child(self) -> None:
        """After a fork: the keeper's thread is the parent's. What is held is still good; the child renews it by itself,
        and not in the same moment as its siblings."""
        self._gate = threading.Lock()
        self.inbox = SimpleQueue()
        self._waiting = []
        self._thread = None
        self._kept = False
        self.forked = True
        if self._end is not None:
            # The parent's, whose keeper sees to it.
            self._end = Future()
            self._end.set_result(None)
        if self.held is not None and self.rejected <= self.progress.handled:
            due = self.held.credential.renew_at
            left = float("inf") if due is None else max(0.0, due - clock.wall())
            self.held = self.held.again(left * random.uniform(0.5, 1.0))


def _in_child() -> None:
    for flight in list(_all):
        flight.in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
