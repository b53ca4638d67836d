"""A credential, and one that is held: with its ends on both clocks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from . import clock
from .error import InvalidError

_NEVER = float("inf")
#: How far two readings of the two clocks are apart, in seconds: each clock counts in milliseconds.
_READING = 0.005


@dataclass(frozen=True)
class Credential:
    """What opens an API: headers to set on a request, and for how long. Times are Unix seconds."""

    #: Names and values; the one that authenticates comes first. Not shown, because its value is a secret.
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    #: The API that they open. Send them nowhere else.
    base_url: str
    #: Grows by one with every new credential, from 1. Hand it back to `Connection.reject`.
    generation: int
    #: When a renewal becomes due. `None`: never, as for a static key.
    renew_at: float | None
    #: Never use it at or past this moment. `None`: it does not expire.
    expires_at: float | None

    @property
    def token(self) -> str:
        """The bearer token alone.

        # Errors
        `credential-without-token` for an API that another header opens.
        """
        name, value = self.headers[0]
        scheme, _, token = value.partition(" ")
        if name != "authorization" or scheme != "Bearer":
            raise InvalidError(
                "credential-without-token",
                f"this API is opened by the header `{name}`, not by a bearer token; set headers()",
            )
        return token


class Held:
    """A credential on its way to readers: what they need, and until when it is good without a further look.

    `fresh_*`: the keeper looks again before. A reader that comes later sees to it that there is a keeper. `ends_*`:
    never handed out past it. All in seconds, the first of a pair on the wall clock, the second on the monotonic one.
    """

    __slots__ = ("credential", "ends", "ends_monotonic", "fresh", "fresh_monotonic", "headers", "token")

    def __init__(self, credential: Credential) -> None:
        self.credential = credential
        self.headers = dict(credential.headers)
        self.token = _token(credential)
        self.ends, self.ends_monotonic = _both(credential.expires_at)
        self.fresh, self.fresh_monotonic = 0.0, 0.0

    def due(self, renew_at: float | None) -> Held:
        """The same, with another moment for its renewal; itself, where that is another reading of the same moment."""
        before = self.credential.renew_at
        same = before == renew_at or (before and renew_at and abs(before - renew_at) < _READING)
        if same:
            return self
        other = self.doubted()
        other.credential = replace(self.credential, renew_at=renew_at)
        return other

    def again(self, seconds: float) -> Held:
        """The same, fresh for so many seconds from now."""
        return self._with(min(self.ends, clock.wall() + seconds), min(self.ends_monotonic, clock.monotonic() + seconds))

    def doubted(self) -> Held:
        """The same, to be looked at before it is used."""
        return self._with(0.0, 0.0)

    def usable(self) -> bool:
        """Whether neither clock says that it has ended."""
        return clock.wall() < self.ends and clock.monotonic() < self.ends_monotonic

    def _with(self, fresh: float, fresh_monotonic: float) -> Held:
        other = Held.__new__(Held)
        other.credential, other.headers, other.token = self.credential, self.headers, self.token
        other.ends, other.ends_monotonic = self.ends, self.ends_monotonic
        other.fresh, other.fresh_monotonic = fresh, fresh_monotonic
        return other


def credential_of(record: dict[str, Any], earlier: int) -> Credential:
    """From the record `credential`. `earlier`: the generations of the instances before this one."""
    renew_at, expires_at = record["renew-at"], record["expires-at"]
    return Credential(
        headers=tuple((header["name"], header["value"]) for header in record["headers"]),
        base_url=record["base-url"],
        generation=earlier + record["generation"],
        renew_at=None if renew_at is None else renew_at / 1000,
        expires_at=None if expires_at is None else expires_at / 1000,
    )


def _token(credential: Credential) -> str | None:
    try:
        return credential.token
    except InvalidError:
        return None


def _both(end: float | None) -> tuple[float, float]:
    return (_NEVER, _NEVER) if end is None else (end, clock.monotonic() + end - clock.wall())
