"""What a cached read costs, and how long the first token takes, beside OpenAI's own client in the same run.

`run` has installed everything; then `KEYLESS=... .venv/bin/python bench.py`. The medians of several turns.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Coroutine
from typing import Any

from openai.auth._workload import WorkloadIdentityAuth

import keyless
from keyless.machine import Instance
from sandbox import Sandbox

CALLS, TURNS, STARTS = 100_000, 9, 7

FIRST_OF_KEYLESS = """
import sys, keyless
print(len(keyless.open(sys.argv[1], ca_file=sys.argv[2], variables={}).token()))
"""
FIRST_OF_OPENAI = """
import json, ssl, sys
from openai.auth._workload import WorkloadIdentityAuth
document = json.loads(sys.argv[1])
def token():
    with open(document["source"]["token_file_path"]) as file:
        return file.read().strip()
exchange = document["exchange"]
auth = WorkloadIdentityAuth(
    workload_identity={
        "identity_provider_id": exchange["identity_provider_id"],
        "service_account_id": exchange["service_account_id"],
        "provider": {"token_type": "jwt", "get_token": token},
    },
    token_exchange_url=exchange["token_endpoint"],
)
print(len(auth.get_token()))
"""


def nanoseconds(call: Callable[[], object], calls: int = CALLS) -> float:
    """Of processor time, so that whatever else the machine does counts little."""
    return statistics.median(timeit.repeat(call, number=calls, repeat=TURNS, timer=time.process_time)) / calls * 1e9


def nanoseconds_async(call: Callable[[], Coroutine[Any, Any, object]]) -> float:
    async def turn() -> float:
        before = time.process_time()
        for _ in range(CALLS):
            await call()
        return time.process_time() - before

    return statistics.median(asyncio.run(turn()) for _ in range(TURNS)) / CALLS * 1e9


def first_token(program: str, sandbox: Sandbox, **environment: str) -> float:
    """Milliseconds from the start of the process to its end, the token in hand."""
    command = [sys.executable, "-c", program, sandbox.document, sandbox.ca]
    taken = []
    for _ in range(STARTS):
        before = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={"SSL_CERT_FILE": sandbox.ca, **environment})
        taken.append(time.perf_counter() - before)
    return statistics.median(taken) * 1000


def main() -> None:

    with Sandbox() as sandbox, sandbox.open() as connection, tempfile.TemporaryDirectory() as cache:
        os.environ["SSL_CERT_FILE"] = sandbox.ca
        document = json.loads(sandbox.document)
        exchange = document["exchange"]
        with open(document["source"]["token_file_path"]) as file:
            identity = file.read().strip()
        official = WorkloadIdentityAuth(
            workload_identity={
                "identity_provider_id": exchange["identity_provider_id"],
                "service_account_id": exchange["service_account_id"],
                "provider": {"token_type": "jwt", "get_token": lambda: identity},
            },
            token_exchange_url=exchange["token_endpoint"],
        )
        official.get_token()
        connection.token()
        instance = Instance()
        instance.open('{"api_key":"k"}', [])
        reads = {
            "keyless, token()": nanoseconds(connection.token),
            "keyless, await token_async()": nanoseconds_async(connection.token_async),
            "openai, get_token()": nanoseconds(official.get_token),
            "the component's credential(), through wasmtime": nanoseconds(lambda: instance.credential((1, 1)), 1000),
        }
        show("a cached read", reads, "ns")
        private = {"KEYLESS_CACHE_DIR": cache}
        show(
            "the first token, from the start of the process",
            {
                "keyless, compiled before": first_token(FIRST_OF_KEYLESS, sandbox, **private),
                "keyless, compiling": first_token(FIRST_OF_KEYLESS, sandbox, KEYLESS_NO_CACHE="1"),
                "openai": first_token(FIRST_OF_OPENAI, sandbox),
                "python alone": first_token("", sandbox),
            },
            "ms",
        )


def show(what: str, figures: dict[str, float], unit: str) -> None:
    print(what)
    first = next(iter(figures.values()))
    for name, figure in figures.items():
        print(f"  {name:<50} {figure:>10.0f} {unit}  {figure / first:>8.2f}")


if __name__ == "__main__":
    main()
