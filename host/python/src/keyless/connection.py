"""The handle that programs hold: a credential to read, a way to wait for it, a way to say "rejected"."""

from __future__ import annotations

import asyncio
import logging
import threading
import weakref
from concurrent import futures
from types import TracebackType

from . import clock
from .credential import Credential, Held
from .error import Error, UnavailableError, anew, close_timeout
from .flight import Flight
from .plan import Plan
from .status import Status

_wall, _monotonic = clock.wall, clock.monotonic
#: How long to wait for a credential, in seconds.
WITHIN = 30.0
#: How long `close` waits until what was made is deleted, and then for the thread to end, in seconds.
_CLOSE, _JOIN = 30.0, 5.0
_log = logging.getLogger("keyless")


class Connection:
    """A document at work. One thread keeps its credential fresh; threads, tasks and forked children share it.

    While a usable credential is held, reading it takes neither a lock nor a thread nor a call into WebAssembly. Without
    one every caller waits, at most `within` seconds, for the same exchange. An outage keeps it waiting, so that a short
    one heals unnoticed; any other failure is raised at once.
    """

    def __init__(self, flight: Flight, plan: Plan) -> None:
        self._flight = flight
        self._plan = plan
        # The keeper knows the flight alone: a connection that nobody holds any more ends it.
        weakref.finalize(self, flight.stop)

    def token(self, within: float = WITHIN) -> str:
        """The bearer token. Meant to be called for every request.

        # Errors
        The engine's last error; `connection-deadline`, `connection-closed`; `credential-without-token` for an API that
        another header opens.
        """
        held = self._flight.held
        if held is None or _wall() >= held.fresh or _monotonic() >= held.fresh_monotonic:
            held = self._ready(within)
        return held.token or held.credential.token

    async def token_async(self, within: float = WITHIN) -> str:
        """As `token`, without ever blocking the event loop."""
        held = self._flight.held
        if held is None or _wall() >= held.fresh or _monotonic() >= held.fresh_monotonic:
            held = await self._ready_async(within)
        return held.token or held.credential.token

    def credential(self, within: float = WITHIN) -> Credential:
        """The headers that open the API, and for how long. Errors as of `token`."""
        return (self._fresh() or self._ready(within)).credential

    async def credential_async(self, within: float = WITHIN) -> Credential:
        """As `credential`, without ever blocking the event loop."""
        return (self._fresh() or await self._ready_async(within)).credential

    def headers(self, within: float = WITHIN) -> dict[str, str]:
        """The headers to set on every request to `base_url`, in a dict of their own. Errors as of `token`."""
        return dict((self._fresh() or self._ready(within)).headers)

    async def headers_async(self, within: float = WITHIN) -> dict[str, str]:
        """As `headers`, without ever blocking the event loop."""
        return dict((self._fresh() or await self._ready_async(within)).headers)

    def current(self) -> Credential | None:
        """The credential that is held, if it is usable. Never waits."""
        held = self._fresh()
        if held is None:
            self._flight.wake()
            held = self._flight.held
        return held.credential if held is not None and held.usable() else None

    def attempt(self, within: float = WITHIN) -> Credential:
        """As `credential`, but the first failure ends the waiting, an outage too: for a health check."""
        return (self._fresh() or self._ready(within, patient=False)).credential

    def reject(self, generation: int) -> None:
        """The API answered 401 to the credential of this generation. Forces one renewal, at most every 30 seconds, and
        the next read waits for it. A generation that is no longer held is ignored."""
        self._flight.reject(generation)

    def status(self) -> Status:
        """The state when it last changed. Never waits."""
        return self._flight.progress.status

    @property
    def plan(self) -> Plan:
        """The document as it was understood, and what it needs."""
        return self._plan

    @property
    def base_url(self) -> str:
        """The API that the credential opens, such as `https://api.openai.com/v1`."""
        return next((setting.value for setting in self._plan.settings if setting.name == "api.base_url"), "")

    def close(self) -> None:
        """Ends the connection; a request under way is cut off. A connection that makes its own keys deletes the service
        accounts that it made, and waits for that, 30 seconds at most; every other has ended at once. One that is let go
        without this deletes nothing: its accounts lapse.

        # Errors
        `accounts-left` and the like, saying what is left; `connection-close-timeout`. The same each time.
        """
        end = self._flight.close()
        if self._flight.kept_here():
            # A finalizer of somebody's, run by this thread: it cannot wait for itself.
            return
        try:
            left = end.result(_CLOSE)
        except futures.TimeoutError:
            self._flight.stop()
            raise close_timeout() from None
        self._flight.join(_JOIN)
        if left is not None:
            raise anew(left)

    async def aclose(self) -> None:
        """As `close`, without ever blocking the event loop."""
        end = self._flight.close()
        try:
            # Who waits may be cancelled; the deleting is not.
            left = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(end)), _CLOSE)
        except (asyncio.TimeoutError, TimeoutError):
            self._flight.stop()
            raise close_timeout() from None
        if left is not None:
            raise anew(left)

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.close()
        except Error as left:
            _tell(left, raised)

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        except Error as left:
            _tell(left, raised)

    def __repr__(self) -> str:
        status = self.status()
        return f"<keyless.Connection to {self.base_url}: {status.phase}, generation {status.generation}>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError(
            "a keyless.Connection cannot be pickled: it holds a secret and a thread; open one where it is used"
        )

    def _fresh(self) -> Held | None:
        held = self._flight.held
        if held is None or _wall() >= held.fresh or _monotonic() >= held.fresh_monotonic:
            return None
        return held

    def _ready(self, within: float, patient: bool = True) -> Held:
        flight = self._flight
        until = _monotonic() + within
        # The keeper may be missing, as in a forked child, or its timers late, as after a suspend.
        flight.wake()
        while True:
            changed = threading.Event()
            # Left before it is judged: what comes later is a change.
            flight.wait(changed.set)
            try:
                held = _verdict(flight, patient)
                if held is not None:
                    return held
                if not changed.wait(max(0.0, until - _monotonic())):
                    raise _late(flight, within)
            finally:
                flight.forget(changed.set)

    async def _ready_async(self, within: float, patient: bool = True) -> Held:
        flight = self._flight
        until = _monotonic() + within
        flight.wake()
        loop = asyncio.get_running_loop()
        while True:
            changed = asyncio.Event()

            def called(event: asyncio.Event = changed) -> None:
                try:
                    loop.call_soon_threadsafe(event.set)
                except RuntimeError:
                    # The loop is closed: nobody waits there any more.
                    return

            flight.wait(called)
            try:
                held = _verdict(flight, patient)
                if held is not None:
                    return held
                await asyncio.wait_for(changed.wait(), max(0.0, until - _monotonic()))
            except (asyncio.TimeoutError, TimeoutError):
                raise _late(flight, within) from None
            finally:
                flight.forget(called)


def _tell(left: Error, raised: BaseException | None) -> None:
    if raised is None:
        raise left
    # What the block raised is what its caller has to know.
    _log.warning("the connection was closed, and something is left: %s", left)


def _verdict(flight: Flight, patient: bool) -> Held | None:
    held = flight.verdict()
    if held is None and not patient and (failure := flight.failure()) is not None:
        raise anew(failure)
    return held


def _late(flight: Flight, within: float) -> Error:
    failed = flight.progress.error
    if failed is not None:
        return anew(failed)
    return UnavailableError(
        "connection-deadline",
        f"no credential within {within:g} s, and no attempt has failed yet; allow more time, or see why the token "
        "endpoint is slow",
        1.0,
    )
