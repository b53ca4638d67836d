"""The sandbox: what the API saw, and the switches of the admin endpoint."""

import json
import urllib.request
from typing import Any


class Sandbox:
    """A running `keyless sandbox`, by its admin endpoint."""

    def __init__(self, admin: str) -> None:
        self._admin = admin

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"{self._admin}{path}", timeout=30) as answer:
            return answer.read().decode()

    def switch(self, path: str, **settings: Any) -> None:
        request = urllib.request.Request(f"{self._admin}{path}", json.dumps(settings).encode(), method="POST")
        urllib.request.urlopen(request, timeout=30).close()

    def break_exchange(self) -> None:
        """From now on the token endpoint is down."""
        self.switch("/faults", service="exchange", fault={"kind": "status", "status": 503})

    def mend_exchange(self) -> None:
        """It works again."""
        urllib.request.urlopen(urllib.request.Request(f"{self._admin}/faults", method="DELETE"), timeout=30).close()

    def calls(self) -> list[dict[str, Any]]:
        """What the API was asked, oldest first. Credentials are given as `SCHEME sha256:HEX`."""
        return json.loads(self.get("/state"))["requests"]["upstream"]

    def exchanges(self) -> int:
        """How often a token was asked for."""
        return json.loads(self.get("/state"))["counters"]["exchange"]["requests"]

    def digests(self) -> set[str]:
        """SHA-256 of each credential that the API was shown, in hexadecimal."""
        return {digest(call) for call in self.calls()} - {""}


def header(call: dict[str, Any], name: str) -> str | None:
    return next((value for known, value in call["headers"] if known == name), None)


def digest(call: dict[str, Any]) -> str:
    """Of the bearer with which a call came; empty without one."""
    return (header(call, "authorization") or "").rpartition("sha256:")[2]
