"""Programs that run beside a test, each with a file for what it says."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
INSTALLED = HERE / ".programs" / "bin"

# Of seconds, for anything that takes a moment on an idle machine.
PATIENCE = 60.0


class Program:
    """One process, from the start of the block to its end."""

    def __init__(
        self, command: list[str], directory: Path, log: Path, variables: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(variables or {})},
                # So that what it starts ends with it.
                start_new_session=True,
            )

    def until(self, ready: Callable[[], bool], what: str) -> None:
        """Looks again and again, unless the program ends."""
        deadline = time.monotonic() + PATIENCE
        while not ready():
            try:
                status = self._process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                assert time.monotonic() < deadline, f"{what}: not within {PATIENCE:.0f} s\n{self.said()}"
            else:
                raise AssertionError(f"{what}: it ended with {status}\n{self.said()}")

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def stand_still(self, seconds: float) -> None:
        """As when the machine sleeps, but that the monotonic clock goes on."""
        self._process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
