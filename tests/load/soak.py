"""Requests and streams while the credential changes every second: nothing may fail, and nothing may grow."""

import subprocess
import time

from parties import EMBEDDED, WRK, Parties, free_port

# Of the first half: what the second may have more of.
GROWTH = 1.1


def measure(seconds: int) -> int:
    with Parties() as parties:
        port = free_port()
        upstream = f"http://127.0.0.1:{parties.ports['PLAIN']}/v1"
        parties.start("Embedded", [EMBEDDED, f"127.0.0.1:{port}", upstream, "1"], port)
        command = [WRK, "-t1", "-c64", f"-d{seconds}", "--latency", f"http://127.0.0.1:{port}/v1/chat/completions"]
        load = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        print("| seconds | MiB | descriptors |\n|---|---|---|")
        samples = []
        began = time.monotonic()
        while load.poll() is None:
            time.sleep(min(10.0, seconds / 10))
            passed = time.monotonic() - began
            if passed < seconds:
                samples.append((parties.memory("Embedded"), parties.descriptors("Embedded")))
                print(f"| {passed:.0f} | {samples[-1][0] / 2**20:.1f} | {samples[-1][1]} |", flush=True)
        said = load.communicate()[0]
        print(said)
    failed = "Non-2xx" in said or "Socket errors" in said
    half = len(samples) // 2
    grown = any(max(late) > GROWTH * max(early) for early, late in zip(zip(*samples[:half]), zip(*samples[half:])))
    print("failed" if failed else "no request failed", "and", "it grew" if grown else "nothing grew")
    return int(failed or grown)
