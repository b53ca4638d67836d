"""What each way of `envoy_filter.py` takes of Envoy itself for a request, in instructions: as good as exact, whatever else the
machine does. Counted by valgrind, which sees nothing of the kernel, and under which each allocation takes some hundred instructions
in place of some ten: Envoy's allocator does without its caches there."""

import http.client
import json
import re
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from envoy_filter import WAYS, WITHOUT, api, build, command, envoy, until_it_answers
from parties import GATEWAYS, Process, free_port

# Without the one that polls: while Envoy is this slow, it does so for nearly every request.
COUNTED = [way for way in WAYS if "fed" not in way]
# Until what is run often has been compiled as well as it will be.
WARMING = 400


def measure(number: int) -> int:
    if not shutil.which("valgrind"):
        raise SystemExit("valgrind is needed, with callgrind_control: install it, such as by `apt-get install valgrind`")
    build()
    with tempfile.TemporaryDirectory(prefix="keyless-load-") as directory:
        home, key, upstream = Path(directory), secrets.token_urlsafe(900), free_port()
        with api(home, key, upstream):
            for title, to in (("a direct response", None), ("a real upstream", upstream)):
                print(f"\n{title}: instructions of Envoy for a request, of {number}")
                print("| | instructions | of the injector's |")
                print("|---|---|---|")
                counts = {way: count(way, home, key, to, number) for way in COUNTED}
                for way, taken in counts.items():
                    print(f"| {way} | {taken:,.0f} | {counts['injector'] / taken:.2f} |", flush=True)
    return 0


def count(way: str, home: Path, key: str, upstream: int | None, number: int) -> float:
    port = free_port()
    config = envoy(home, key, {way: port}, upstream)
    # Whatever Envoy does by the clock stays out of it.
    config["stats_flush_interval"] = "299s"
    (home / "envoy.json").write_text(json.dumps(config))
    result = home / "callgrind"
    # V8's code is made while it runs.
    valgrind = ["valgrind", "--tool=callgrind", "--smc-check=all-non-file", "--instr-atstart=no", f"--callgrind-out-file={result}"]
    # Not what starts it.
    [program] = GATEWAYS.parent.glob("venv/lib/python*/site-packages/envoy/_bin/envoy")
    _, *options = command(home / "envoy.json", 1)
    header = ("authorization", f"Bearer {key}") if way in WITHOUT else ("x-own", "none")
    with Process("Envoy", [*valgrind, program, *options], home, port) as running:
        until_it_answers(port, ": ".join(header))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        ask(connection, header, WARMING)
        control(running, "--instr=on")
        ask(connection, header, WARMING // 4)
        control(running, "--zero")
        ask(connection, header, number)
        control(running, "--dump")
        connection.close()
    [dump] = home.glob("callgrind.*")
    taken = int(re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE).group(1))
    for file in home.glob("callgrind*"):
        file.unlink()
    return taken / number


def ask(connection: http.client.HTTPConnection, header: tuple[str, str], number: int) -> None:
    for _ in range(number):
        connection.request("GET", "/v1/models", headers=dict([header]))
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status


def control(running: Process, what: str) -> None:
    subprocess.run(["callgrind_control", what, str(running.number())], check=True, capture_output=True)
