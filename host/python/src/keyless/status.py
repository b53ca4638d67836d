"""What a connection is doing, for people and metrics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .error import Error
from .plan import Warning, warnings_of
from .wire import error


@dataclass(frozen=True)
class Status:
    """Times are Unix seconds. A credential is at hand in `fresh`, `renewing` and `waiting` alike."""

    #: `idle`, `acquiring`, `fresh`, `renewing`, `waiting`, `failed`, as in `wit/types.wit`, or `closed`.
    phase: str = "idle"
    #: Of the credential held, 0 before the first.
    generation: int = 0
    #: Exchanges that succeeded.
    renewals: int = 0
    #: Attempts that failed.
    failures: int = 0
    #: Attempts that failed since the last success.
    failures_in_a_row: int = 0
    #: When a renewal is due, or the next attempt after a failure may start.
    next_attempt_at: float | None = None
    #: When the credential held ends.
    expires_at: float | None = None
    #: Why the last attempt failed; `None` once one has succeeded.
    last_error: Error | None = None
    #: What works, but is doubtful, such as an identity token that a control plane accepts.
    warnings: tuple[Warning, ...] = ()

    def after(self, earlier: Status) -> Status:
        """Counted on from an instance that is gone. A first success ends the row of failures."""
        row = self.failures_in_a_row + (earlier.failures_in_a_row if self.renewals == 0 else 0)
        return replace(
            self,
            generation=self.generation + earlier.generation,
            renewals=self.renewals + earlier.renewals,
            failures=self.failures + earlier.failures,
            failures_in_a_row=row,
        )


def status_of(record: dict[str, Any]) -> Status:
    """From the record `status`."""
    failed, at, end = record["last-error"], record["next-attempt-at"], record["expires-at"]
    return Status(
        phase=record["phase"],
        generation=record["generation"],
        renewals=record["renewals"],
        failures=record["failures"],
        failures_in_a_row=record["failures-in-a-row"],
        next_attempt_at=None if at is None else at / 1000,
        expires_at=None if end is None else end / 1000,
        last_error=None if failed is None else error(failed),
        warnings=warnings_of(record["warnings"]),
    )
