"""The two clocks. Lifetimes are judged on both: whichever says "over" first is believed.

The wall clock goes on while a machine is suspended but can be set to anything, the monotonic one cannot be set but
stands still in suspend.
"""

from __future__ import annotations

import time

#: Seconds since the Unix epoch.
wall = time.time
#: Seconds since any fixed moment.
monotonic = time.monotonic


def wall_ms() -> int:
    """Milliseconds since the Unix epoch; 0 before it, as on a machine without a battery that starts in 1969."""
    return max(0, int(wall() * 1000))


def monotonic_ms() -> int:
    """Milliseconds since any fixed moment."""
    return int(monotonic() * 1000)
