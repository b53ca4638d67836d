"""What tests of the filter do with a set-up: ask many at a time, and look at Envoy's own figures."""

import json
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from client import Answer, Client
from programs import PATIENCE
from stage import ENVOY, GATEWAY, Stage, accepts

WORKERS = 4
# Without what other Envoys of this machine could be in the way of.
COMMAND = ("envoy", "--config-path", "envoy.yaml", "--disable-hot-restart", "--concurrency", str(WORKERS))
IN_CLUSTER = {"envoy-filter.yaml": "envoy.yaml"}
IN_LISTENER = {"envoy-filter-listener.yaml": "envoy.yaml"}

# Per worker.
CLIENTS = 64


def has_credential(stage: Stage) -> bool:
    """Whether the filter has got its first one, if it can."""
    ready = accepts(stage.ports[ENVOY]) and accepts(stage.ports[GATEWAY])
    return ready and (metric(stage, "renewals") > 0 or not stage.exchange_works)


def together(stage: Stage, number: int, ask=Client.models) -> list[Answer]:
    """So many at once, each over a connection of its own."""
    with ThreadPoolExecutor(number) as clients:
        answers: list[Future] = [clients.submit(ask, stage.client) for _ in range(number)]
    return [answer.result() for answer in answers]


# Of seconds. After an outage it may be the longest back-off until the next attempt.
BACK_OFF = 300.0


def until_200(stage: Stage) -> Answer:
    """Asks again as long as there is no credential."""
    deadline = time.monotonic() + BACK_OFF + PATIENCE
    while (answer := stage.client.models()).status != 200 and time.monotonic() < deadline:
        assert answer.status in (401, 503), answer
    return answer


def until_all_work(stage: Stage) -> None:
    """Envoy takes its time with a worker that breaks again and again."""
    until(stage, lambda: {answer.status for answer in together(stage, CLIENTS)} == {200})


def until(stage: Stage, holds: Callable[[], bool]) -> None:
    """Looks again and again."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, stage.gateway.said()
        time.sleep(0.02)


def delay_exchange(stage: Stage, ms: int, times: int | None = None) -> None:
    often = {} if times is None else {"times": times}
    stage.sandbox.switch("/faults", service="exchange", fault={"kind": "delay", "ms": ms}, **often)


def subject_token(stage: Stage) -> str:
    """The digest of the identity token that was traded last."""
    requests = json.loads(stage.sandbox.get("/state"))["requests"]["exchange"]
    return requests[-1]["body"]["subject_token"]["sha256"]


def envoy(stage: Stage, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{stage.ports[ENVOY]}{path}", timeout=30) as answer:
        return answer.read().decode()


def stat(stage: Stage, name: str) -> int:
    return int(envoy(stage, f"/stats?filter=^{name}$").rpartition(": ")[2])


def metric(stage: Stage, name: str) -> int:
    return stat(stage, f"wasmcustom.keyless.openai.{name}")
