"""A set-up of docs/gateways, put together in a fresh directory: sandbox, `keyless serve` where it has a part, gateway.

The files are those of docs/gateways. What is replaced in them is the ports, which are fixed there and free ones here,
and the directory of the sockets.
"""

import hashlib
import json
import os
import random
import re
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from client import Client
from programs import HERE, INSTALLED, Program
from sandbox import Sandbox

KEYLESS = os.environ["KEYLESS"]
# The filter for Envoy.
FILTER = Path(os.environ["KEYLESS_ENVOY_FILTER"])
DOCS = HERE.parent.parent / "docs" / "gateways"

# As docs/gateways/README.md lists them.
GATEWAY, PROXY, OPS, ADMIN, API, EXCHANGE, ENVOY = "8080", "8081", "9180", "9440", "9443", "9444", "9901"
PORTS = (GATEWAY, PROXY, OPS, ADMIN, API, EXCHANGE, ENVOY)
SOCKETS = "/run/keyless"
ABSTRACT = "keyless-attempts"


@dataclass(frozen=True)
class SetUp:
    """Which files of docs/gateways make it, and how its gateway is started."""

    listeners: str | None
    # Name in docs/gateways to name in the directory.
    files: Mapping[str, str]
    command: Sequence[str]
    # Whether the gateway serves.
    ready: Callable[["Stage"], bool] = lambda stage: accepts(stage.ports[GATEWAY])
    # What is different in these files.
    changed: Callable[[str], str] = lambda text: text
    # What happens before the gateway starts.
    before: Callable[["Stage"], None] = lambda stage: None


class Stage:
    """The set-up, running from the start of the block to its end."""

    def __init__(self, set_up: SetUp, exchange_works: bool = True) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="keyless-gateway-")
        self.directory = Path(self._directory.name)
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self._programs: list[Program] = []
        try:
            self._start(set_up, exchange_works)
        except BaseException:
            self.__exit__()
            raise

    def _start(self, set_up: SetUp, exchange_works: bool) -> None:
        (self.directory / "sockets").mkdir(mode=0o700)
        self.exchange_works = exchange_works
        ports = {"admin": ADMIN, "upstream": API, "exchange": EXCHANGE}
        chosen = [word for name, port in ports.items() for word in (f"--port-{name}", str(self.ports[port]))]
        sandbox = self.start([KEYLESS, "sandbox", "--json", *chosen])
        sandbox.until(lambda: sandbox.said().endswith("\n"), "the sandbox")
        # What it says of itself, ready-made documents among it.
        self.told = json.loads(sandbox.said())
        self.sandbox = Sandbox(self.told["admin"])
        self.client = Client(self.ports[GATEWAY])
        if not exchange_works:
            self.sandbox.break_exchange()
        (self.directory / "ca.pem").write_text(self.sandbox.get("/ca.pem"))
        (self.directory / "tokens").symlink_to(Path(self.told["token_file"]).parent)
        (self.directory / "envoy-filter.wasm").symlink_to(FILTER)
        if set_up.listeners is not None:
            listeners = self.rewritten((DOCS / set_up.listeners).read_text())
            (self.directory / "keyless.toml").write_text(self.sandbox.get("/keyless.toml") + listeners)
            keyless = self.start([KEYLESS, "serve", "-v"], {"KEYLESS_CA_CERT": "ca.pem"})
            keyless.until(lambda: self.serves("/readyz" if exchange_works else "/livez"), "keyless serve")
        for given, name in set_up.files.items():
            (self.directory / name).write_text(set_up.changed(self.rewritten((DOCS / given).read_text())))
        set_up.before(self)
        self.gateway = self.start([str(INSTALLED / set_up.command[0]), *set_up.command[1:]])
        self.gateway.until(lambda: set_up.ready(self), set_up.command[0])

    def start(self, command: list[str], variables: Mapping[str, str] | None = None) -> Program:
        log = self.directory / f"{len(self._programs)}-{Path(command[0]).name}.log"
        self._programs.append(Program(command, self.directory, log, variables))
        return self._programs[-1]

    def rewritten(self, text: str) -> str:
        return rewritten(text, self.ports, self.directory)

    def serves(self, path: str) -> bool:
        """Whether the ops listener answers 200."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.ports[OPS]}{path}", timeout=30).close()
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    def leaks(self) -> list[str]:
        """Where a credential is that nobody should see: in what clients got, and in everything that was logged.

        Ends the gateway, so that it has written all it had to write.
        """
        self.gateway.end()
        issued = self.sandbox.digests()
        places = {f"answer {number}": answer.everything() for number, answer in enumerate(self.client.answers, 1)}
        for log in self.directory.rglob("*.log"):
            places[log.name] = log.read_text(errors="replace")
        # The sandbox itself prints documents, one of them with its static key.
        del places["0-keyless.log"]
        return [place for place, text in places.items() if "bearer " in text.lower() or digests_in(text) & issued]

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        for program in reversed(self._programs):
            program.end()
        self._directory.cleanup()


def rewritten(text: str, ports: Mapping[str, int], directory: Path) -> str:
    """A file of docs/gateways for ports and a directory of a test's own."""
    text = re.sub(r"\b(?:%s)\b" % "|".join(PORTS), lambda port: str(ports[port[0]]), text)
    return text.replace(SOCKETS, str(directory / "sockets")).replace(ABSTRACT, directory.name)


def digests_in(text: str) -> set[str]:
    """SHA-256 of everything in it that could be a token of the sandbox, which has 43 characters or more."""
    return {hashlib.sha256(word.encode()).hexdigest() for word in re.findall(r"[\w~+/.-]{43,}=*", text)}


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=30).close()
    except ConnectionError:
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Below those that systems give to outgoing connections, so that none of these takes them meanwhile."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(15_000, 32_000)
        # Nobody here speaks UDP: holding the port there keeps it for this process, whatever other tests run beside.
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with socket.socket() as probe:
            try:
                claim.bind(("127.0.0.1", port))
                probe.bind(("127.0.0.1", port))
            except OSError:
                claim.close()
                continue
        CLAIMS.append(claim)
        found.append(port)
    return found


# Held to the end of the process.
CLAIMS: list[socket.socket] = []
