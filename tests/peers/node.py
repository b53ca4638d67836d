"""Official clients for Node, each in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent


def node(script: str, told: object, variables: Mapping[str, str] | None = None) -> str:
    """The last line that the script prints. What it is `told`, as JSON, it explains itself."""
    # Node came with the official clients, beside this Python.
    command = [str(Path(sys.executable).with_name("node")), str(HERE / script), json.dumps(told)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, env=variables or {})
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()[-1]


def openai_node(
    provider: str,
    *settings: object,
    endpoint: str | None = None,
    instead_of: Mapping[tuple[str, int], int] | None = None,
) -> str:
    """The token that a provider gives, or the one that it is traded for at the endpoint."""
    there = {f"{host}:{port}": there for (host, port), there in (instead_of or {}).items()}
    told = {"provider": provider, "settings": settings, "endpoint": endpoint, "insteadOf": there}
    return node("openai_node.mjs", told)
