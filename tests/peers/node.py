"""OpenAI's client for Node, in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent


def openai_node(
    provider: str,
    *settings: object,
    endpoint: str | None = None,
    instead_of: Mapping[tuple[str, int], int] | None = None,
) -> str:
    """What `openai_node.mjs`, which explains the arguments, prints."""
    told: dict[str, object] = {"provider": provider, "settings": settings}
    if endpoint is not None:
        told["endpoint"] = endpoint
    told["insteadOf"] = {f"{host}:{port}": there for (host, port), there in (instead_of or {}).items()}
    # Node came with the official clients, beside this Python.
    command = [str(Path(sys.executable).with_name("node")), str(HERE / "openai_node.mjs"), json.dumps(told)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, env={})
    assert result.returncode == 0, result.stderr
    return result.stdout.removesuffix("\n")
