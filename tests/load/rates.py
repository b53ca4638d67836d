"""Requests per second at 64 connections: many short rounds, in each of which everybody has a turn. A party is compared with
the better of nginx and Envoy of the same round, so that what else the machine does falls on all alike."""

import re
import statistics
import subprocess

from parties import NAMES, WRK, Parties

CONNECTIONS = 64
ROUNDS = 15


def measure(seconds: int) -> int:
    for tls in (False, True):
        print(f"\nupstream over {'TLS' if tls else 'plain HTTP/1.1'}, {CONNECTIONS} connections, {ROUNDS} rounds of {seconds} s")
        with Parties(tls) as parties:
            results = {name: [] for name in NAMES}
            for name in NAMES:
                wrk(parties.ports[name], 1)
            for _ in range(ROUNDS):
                for name in NAMES:
                    before = parties.processor(name)
                    rate, middle, late = wrk(parties.ports[name], seconds)
                    each = (parties.processor(name) - before) / (rate * seconds)
                    results[name].append((rate, middle, late, each * 1e6))
            show(results)
    return 0


def show(results: dict[str, list[tuple[float, ...]]]) -> None:
    others = [results[name] for name in NAMES if name != "Keyless"]
    best = [max(turns) for turns in zip(*others)]
    print("| | requests/s | of the better one's | p50 ms | p99 ms | of its p99 | processor, µs each |")
    print("|---|---|---|---|---|---|---|")
    for name, turns in results.items():
        rate, middle, late, each = (statistics.median(column) for column in zip(*turns))
        of_rate = statistics.median(own[0] / other[0] for own, other in zip(turns, best))
        of_late = statistics.median(own[2] / other[2] for own, other in zip(turns, best))
        print(
            f"| {name} | {rate:,.0f} | {of_rate:.2f} | {middle:.2f} | {late:.2f} | {of_late:.2f} | {each:.0f} |",
            flush=True,
        )


def wrk(port: int, seconds: int) -> tuple[float, float, float]:
    """Requests per second; the median and the 99th percentile of their times, in ms."""
    command = [WRK, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "--latency", f"http://127.0.0.1:{port}/v1/chat/completions"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in said and "Socket errors" not in said, said
    rate = float(re.search(r"Requests/sec: +([\d.]+)", said).group(1))
    return rate, milliseconds(said, "50%"), milliseconds(said, "99%")


def milliseconds(said: str, percentile: str) -> float:
    number, unit = re.search(rf"{percentile} +([\d.]+)(us|ms|s)\b", said).groups()
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]
