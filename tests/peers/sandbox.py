"""A sandbox in a process of its own, as a person would start it."""

import json
import subprocess


class Sandbox:
    """`keyless sandbox --json`, ended with the block."""

    def __init__(self, keyless: str) -> None:
        self._process = subprocess.Popen([keyless, "sandbox", "--json"], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.about = json.loads(self._process.stdout.readline())

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)
