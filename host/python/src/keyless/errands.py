"""The effects that the engine wants done. What can take long has a thread for itself, for as long as it takes.

The keeper must not wait for one of them: it keeps the deadline of all of them, and takes back what is no longer wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import clock, files
from .grant import Grant
from .sender import Sending
from .source import Source, ask
from .trust import Trust
from .workers import apart

#: The plain form of the variant `event`.
Happened = Any
#: How long after its deadline a request is answered for: its own thread says more precisely what was late.
_GRACE = 0.05


@dataclass(frozen=True)
class Ended:
    """How an effect ended. `of`: a later session counts its effects from 1, too."""

    of: Errands
    happened: Happened = field(repr=False)


class Errands:
    """What is under way for one session. `report` is called from any thread."""

    def __init__(self, grant: Grant, trust: Trust, source: Source | None, report: Callable[[Ended], None]) -> None:
        self._grant = grant
        self._trust = trust
        self._source = source
        self._tell = report
        self._open: dict[int, Sending | None] = {}

    def begin(self, effect: Any) -> None:
        """Does the effect, or has it done. Its end is reported."""
        ((case, wanted),) = effect.items()
        if case == "cancel":
            self._cut(wanted)
        elif case == "read-file":
            self._open[wanted["id"]] = None
            self._report({"file": (wanted["id"], self._read(wanted))})
        elif case == "send":
            self._send(wanted)
        else:
            self._ask(wanted)

    def awaited(self, ended: Ended) -> bool:
        """Whether somebody still waits for this answer. Then nobody does any more."""
        ((number, _),) = ended.happened.values()
        if ended.of is not self or number not in self._open:
            return False
        del self._open[number]
        return True

    def next_deadline(self) -> float | None:
        """On the monotonic clock, in seconds."""
        return min((sending.deadline.moment + _GRACE for sending in self._open.values() if sending), default=None)

    def overdue(self) -> list[Ended]:
        """The answers of requests that did not end in time, such as while a name is looked up."""
        late = [
            number
            for number, sending in self._open.items()
            if sending and clock.monotonic() >= sending.deadline.moment + _GRACE
        ]
        for number in late:
            sending = self._open[number]
            if sending:
                sending.cut()
        return [Ended(self, {"response": (number, {"err": "timed-out"})}) for number in late]

    def stop(self) -> None:
        """Nothing is wanted any more."""
        for number in list(self._open):
            self._cut(number)

    def _report(self, happened: Happened) -> None:
        self._tell(Ended(self, happened))

    def _cut(self, number: int) -> None:
        sending = self._open.pop(number, None)
        if sending is not None:
            sending.cut()

    def _read(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if wanted["path"] not in self._grant.files:
            return {"err": "denied"}
        try:
            return {"ok": files.read(wanted["path"], wanted["limit"])}
        except files.Unreadable as reason:
            return {"err": reason.fault}

    def _send(self, wanted: dict[str, Any]) -> None:
        number = wanted["id"]
        sending = Sending(wanted, self._grant.allowed, self._trust)
        self._open[number] = sending
        if not sending.granted:
            self._report({"response": (number, {"err": "denied"})})
        elif not apart(lambda: self._report({"response": (number, sending.run())})):
            self._report({"response": (number, {"err": "broken"})})

    def _ask(self, wanted: dict[str, Any]) -> None:
        number, source = wanted["id"], self._source
        self._open[number] = None
        if source is None:
            self._report({"source": (number, {"err": "absent"})})
            return
        asking = source
        if not apart(lambda: self._report({"source": (number, ask(asking, wanted["audience"]))})):
            self._report({"source": (number, {"err": {"failed": "no thread can be started to ask the source"}})})
