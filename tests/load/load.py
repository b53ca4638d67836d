"""`requests`, `streams`, `idle`, `soak`, `filter` or `instructions`; see `run`."""

import sys

import envoy_filter
import idle
import instructions
import rates
import soak
import streams

WHAT = {
    "requests": (rates.measure, 3),
    "streams": (streams.measure, 5000),
    "idle": (idle.measure, 10),
    "soak": (soak.measure, 600),
    "filter": (envoy_filter.measure, 1),
    "instructions": (instructions.measure, 1000),
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in WHAT:
        sys.exit(f"usage: run {'|'.join(WHAT)} [NUMBER]")
    measure, number = WHAT[sys.argv[1]]
    sys.exit(measure(int(sys.argv[2]) if len(sys.argv) > 2 else number))
