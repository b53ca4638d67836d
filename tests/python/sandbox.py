"""A sandbox in a process of its own, and its switches."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from typing import Any

import keyless
from waiting import eventually

KEYLESS = os.environ["KEYLESS"]


class Sandbox:
    """`keyless sandbox --json`, ended with the block."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([KEYLESS, "sandbox", "--json"], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.about: dict[str, Any] = json.loads(self._process.stdout.readline())
        self.ca: str = self.about["ca_file"]
        self.document: str = self.about["documents"]["native"]

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)

    def combination(self, name: str) -> tuple[str, dict[str, str]]:
        """The document of a source and an exchange, and its variables."""
        found = self.about["documents"]["combinations"][name]
        return found["document"], found["variables"]

    def open(self, document: str | dict[str, Any] | None = None, **settings: Any) -> keyless.Connection:
        """A connection that trusts the sandbox, and sees no variable unless it is given."""
        settings = {"ca_file": self.ca, "variables": {}, **settings}
        return keyless.open(document or self.document, **settings)

    def switch(self, path: str, **settings: Any) -> None:
        request = urllib.request.Request(f"{self.about['admin']}{path}", json.dumps(settings).encode(), method="POST")
        urllib.request.urlopen(request, timeout=30).close()

    def fault(self, kind: str, times: int | None = None, service: str = "exchange", **more: Any) -> None:
        self.switch("/faults", service=service, fault={"kind": kind, **more}, times=times)

    def admin_fault(self, on: str, kind: str, **more: Any) -> None:
        """For one call of the Admin API, until it is mended."""
        self.switch("/faults", service="upstream", on=on, fault={"kind": kind, **more})

    def minting(self, **settings: Any) -> dict[str, Any]:
        """A document that makes service accounts of its own."""
        document = json.loads(self.about["documents"]["openai_service_account"]["document"])
        return {"exchange": {**document["exchange"], **settings}}

    def accounts(self) -> list[dict[str, Any]]:
        """What became of them, in the order in which they were made."""
        with urllib.request.urlopen(f"{self.about['admin']}/service-accounts", timeout=30) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())["accounts"]
        return found

    def alive(self) -> list[str]:
        """The ids of those that are there."""
        return [account["id"] for account in self.accounts() if account["deleted_at_ms"] is None]

    def mend(self) -> None:
        request = urllib.request.Request(f"{self.about['admin']}/faults", method="DELETE")
        urllib.request.urlopen(request, timeout=30).close()

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.about['admin']}/state", timeout=30) as answer:
            state: dict[str, Any] = json.loads(answer.read())
        return state

    def exchanges(self) -> int:
        """How often a token was asked for."""
        return int(self.state()["counters"]["exchange"]["requests"])

    def asked(self) -> None:
        """Waits until the token endpoint has one more request."""
        before = self.exchanges()
        eventually(lambda: self.exchanges() > before)
