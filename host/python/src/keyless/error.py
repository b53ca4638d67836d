"""The one error of this package: who has to act, a stable code, and what to do next."""

from __future__ import annotations

from typing import ClassVar

#: Outages that only a person ends: a certificate does not become trusted, nor a redirect an answer, by asking again.
_LASTING = frozenset({"endpoint-untrusted", "endpoint-redirect"})


class Error(Exception):
    """Why something did not work. Holds no secret and no part of a response body.

    The subclass says who has to act. `code` is stable and kebab-case (docs/errors.md), `message` is for people and says
    what to do next, `retry_after` is how many seconds to leave it alone; `None`: asking again changes nothing.
    """

    #: `invalid`, `denied`, `identity`, `rejected` or `unavailable`, as in `wit/types.wit`.
    kind: ClassVar[str] = "unavailable"

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(code, message, retry_after)
        self.code = code
        self.message = message
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def heals(self) -> bool:
        """Whether it may pass by itself, so that waiting for a credential goes on."""
        return self.kind == "unavailable" and self.code not in _LASTING


class InvalidError(Error):
    """The author of the document, or the caller, has to act."""

    kind = "invalid"


class DeniedError(Error):
    """The operator has to act: the grant does not hold what was asked for."""

    kind = "denied"


class IdentityError(Error):
    """The platform gave no identity token, or one that cannot be used."""

    kind = "identity"


class RejectedError(Error):
    """The administrator of the API has to act: its token endpoint refused the identity."""

    kind = "rejected"


class UnavailableError(Error):
    """The network, the endpoint or the component is out of order for now."""

    kind = "unavailable"


_KINDS: dict[str, type[Error]] = {
    each.kind: each for each in (InvalidError, DeniedError, IdentityError, RejectedError, UnavailableError)
}


def error_of(kind: str, code: str, message: str, retry_after: float | None) -> Error:
    """The error of that kind."""
    return _KINDS.get(kind, UnavailableError)(code, message, retry_after)


def anew(error: Error) -> Error:
    """The same error, to be raised once more: a traceback belongs to one raise, and callers share what is kept."""
    return type(error)(error.code, error.message, error.retry_after)


def closed() -> Error:
    """What a closed connection answers."""
    return UnavailableError("connection-closed", "the connection is closed; open another one")


def close_timeout() -> Error:
    """What is told when the end of a connection takes too long."""
    return UnavailableError(
        "connection-close-timeout",
        "service accounts that the connection made could not be deleted within 30 s, and what was under way was cut off; check "
        "how the Admin API is reached. They lapse, as their names say; `keyless accounts prune` deletes them sooner",
    )
