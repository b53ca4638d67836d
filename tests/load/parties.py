"""Whoever takes part: an API, and the gateways in front of it, each with its file beside this one."""

import os
import re
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
GATEWAYS = HERE.parent / "gateways" / ".programs" / "bin"
WRK = HERE / ".programs" / "bin" / "wrk"
KEYLESS = ROOT / "target" / "release" / "keyless"
EMBEDDED = ROOT / "target" / "release" / "examples" / "embedded"
CORES = len(os.sched_getaffinity(0))
# In the order of the tables.
NAMES = ("nginx", "Envoy", "Keyless")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Parties:
    """The gateways, in front of nginx as the API or of what listens on `upstream`."""

    def __init__(self, tls: bool = False, upstream: int | None = None) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="keyless-load-")
        self._home = Path(self._directory.name)
        self._processes: dict[str, Process] = {}
        self.key = secrets.token_hex(24)
        self.ports = {name: free_port() for name in (*NAMES, "PLAIN", "TLS")}
        self._values = {name.upper(): str(port) for name, port in self.ports.items()} | {
            "KEY": self.key,
            "CORES": str(CORES),
            "SCHEME": "https" if tls else "http",
            "UPSTREAM": str(upstream or self.ports["TLS" if tls else "PLAIN"]),
            "ENVOY_TLS": (HERE / "envoy-tls.yaml").read_text() if tls else "",
        }

    def __enter__(self) -> "Parties":
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
            + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
            + ["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "certificate.pem"],
            cwd=self._home,
            check=True,
            capture_output=True,
        )
        nginx = [GATEWAYS / "nginx", "-p", f"{self._home}/", "-c"]
        self.start("API", [*nginx, self.filled("upstream.conf")], self.ports["PLAIN"])
        self.start("nginx", [*nginx, self.filled("nginx.conf")], self.ports["nginx"])
        envoy = [GATEWAYS / "envoy", "-c", self.filled("envoy.yaml"), "--concurrency", str(CORES)]
        self.start("Envoy", [*envoy, "--log-level", "error", "--use-dynamic-base-id"], self.ports["Envoy"])
        serve = [KEYLESS, "serve", "--file", self.filled("keyless.toml"), "--ca-cert", self._home / "certificate.pem"]
        self.start("Keyless", serve, self.ports["Keyless"])
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.end()
        self._directory.cleanup()

    def start(self, name: str, command: list, port: int) -> None:
        """Starts a program and waits until it listens."""
        self._processes[name] = Process(name, command, self._home, port)

    def memory(self, name: str) -> int:
        return self._processes[name].memory()

    def resident(self, name: str) -> int:
        return self._processes[name].resident()

    def rest(self, seconds: int) -> None:
        """Until so long after the start; it is an error when one ends meanwhile."""
        for process in self._processes.values():
            process.rest(seconds)

    def processor(self, name: str) -> float:
        return self._processes[name].processor()

    def descriptors(self, name: str) -> int:
        return self._processes[name].descriptors()

    def filled(self, name: str) -> Path:
        """A file of ours with its ports and keys."""
        path = self._home / name
        path.write_text(filled(name, self._values))
        return path


class Process:
    """A program with its workers, once it listens on all of its ports."""

    def __init__(self, name: str, command: list, home: Path, *ports: int) -> None:
        log = home / f"{name}.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(word) for word in command], cwd=home, stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + 60
        while not all(listens(port) for port in ports):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{name} does not listen:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        self._listening = time.monotonic()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def number(self) -> int:
        """The system's for it."""
        return self._process.pid

    def memory(self) -> int:
        """Bytes that it and its workers have to themselves, shared ones in proportion."""
        return sum(1024 * proportional(pid) for pid in self._all())

    def resident(self) -> int:
        """Bytes of it and its workers that are in memory, shared ones in full."""
        return sum(1024 * resident(pid) for pid in self._all())

    def rest(self, seconds: int) -> None:
        try:
            self._process.wait(timeout=max(0.0, self._listening + seconds - time.monotonic()))
        except subprocess.TimeoutExpired:
            return
        raise SystemExit(f"{self._process.args[0]} has ended")

    def processor(self) -> float:
        """Seconds that it and its workers have kept processors busy."""
        return sum(busy(pid) for pid in self._all())

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))

    def _all(self) -> list[int]:
        first = self._process.pid
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def filled(name: str, values: Mapping[str, str]) -> str:
    """What a file beside this one says, with values in place of the names between `@`; those without one stay."""
    text = (HERE / name).read_text()
    return re.sub("@([A-Z_]+)@", lambda found: values.get(found.group(1), found.group()), text)


def busy(pid: int) -> float:
    """User's and system's time together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def proportional(pid: int) -> int:
    """KiB. A process that may not be looked into (Keyless) tells its resident set, which counts shared pages in full."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE).group(1))
    except PermissionError:
        return resident(pid)


def resident(pid: int) -> int:
    """KiB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE).group(1))
