"""The component's side of a comparison: the command, with an environment of its own."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

KEYLESS = os.environ["KEYLESS"]


def trade(
    document: Mapping[str, object],
    *,
    variables: Mapping[str, str] | None = None,
    instead_of: Mapping[tuple[str, int], int] | None = None,
    ca: Path | None = None,
) -> None:
    """Gets a credential from a party that grants everything. `variables` are the platform's; a party on loopback, known by
    its port, stands `instead_of` a host and its port; `ca` is trusted."""
    command = [KEYLESS, "token", "--connection", json.dumps(document)]
    for (host, port), there in (instead_of or {}).items():
        command += ["--connect-to", f"{host}:{port}:127.0.0.1:{there}"]
    if ca is not None:
        command += ["--ca-cert", str(ca)]
    environment = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**environment, **(variables or {})}
    )
    assert (result.returncode, result.stdout) == (0, "granted\n"), result


def openai_exchange(url: str) -> dict[str, str]:
    """For where only the source is under test."""
    return {
        "type": "openai",
        "identity_provider_id": "idp_peer",
        "service_account_id": "svc_acct_peer",
        "token_endpoint": url,
    }
