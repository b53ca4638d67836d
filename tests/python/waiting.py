"""Waiting for what happens elsewhere, with a limit that only a broken test reaches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import keyless

LIMIT = 60.0


def until(connection: keyless.Connection, happened: Callable[[], bool]) -> None:
    """Looks again whenever the connection has published something."""
    end = time.monotonic() + LIMIT
    flight = connection._flight
    while True:
        changed = threading.Event()
        flight.wait(changed.set)
        if happened():
            flight.forget(changed.set)
            return
        # Its end on the clock is published by nobody.
        changed.wait(0.2)
        assert time.monotonic() < end, f"it never happened: {connection.status()}"


def eventually(happened: Callable[[], bool]) -> None:
    """For what another process tells only when it is asked."""
    end = time.monotonic() + LIMIT
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
