"""Programs that run beside a test, each with a file for what it says."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
INSTALLED = HERE / ".programs" / "bin"
KEYLESS = os.environ["KEYLESS"]

# Of seconds, for anything that takes a moment on an idle machine.
PATIENCE = 90.0


class Program:
    """One process, until it is ended."""

    def __init__(self, command: list[str], log: Path, variables: Mapping[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(variables or {})},
                start_new_session=True,
            )

    def until(self, ready: Callable[[], bool], what: str, within: float = PATIENCE) -> None:
        """Looks again and again, unless the program ends."""
        deadline = time.monotonic() + within
        while not ready():
            try:
                status = self.process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                assert time.monotonic() < deadline, f"{what}: not within {within:.0f} s\n{self.said()}"
            else:
                raise AssertionError(f"{what}: it ended with {status}\n{self.said()}")

    def ended(self) -> int:
        """Its exit code, when it has ended by itself."""
        try:
            return self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it has not ended\n{self.said()}") from None

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> None:
        if self.process.poll() is None:
            # One that stands still does not hear it.
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def eventually(holds: Callable[[], bool], what: str, within: float = PATIENCE) -> float:
    """Looks again and again; after how many seconds it held."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() < began + within, f"{what}: not within {within:.1f} s"
        time.sleep(0.02)
    return time.monotonic() - began
