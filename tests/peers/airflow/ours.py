"""A document as Keyless reads it: what `keyless plan` says, and `keyless token` where there is a static key."""

import json
import os
import subprocess
from pathlib import Path

import httpx2

from reading import Reading
from theirs import VARIABLE

KEYLESS = os.environ["KEYLESS"]


class Keyless:
    """The command, in an empty folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, document: str, variables: dict[str, str]) -> Reading:
        """What comes of the document."""
        environment = {
            **variables,
            VARIABLE: document,
            "HOME": str(self._folder),
            "KEYLESS_LOG_FORMAT": "json",
            "KEYLESS_CACHE_DIR": str(self._folder / "cache"),
        }
        planned = self._run(environment, "plan", "--json")
        if planned.returncode != 0:
            return refusal(planned)
        plan = {setting["name"]: setting["value"] for setting in json.loads(planned.stdout)["settings"]}
        if plan["auth_type"] == "workload_identity":
            return Reading(settings=exchanged(plan))
        issued = self._run(environment, "token", "--format", "json")
        if issued.returncode != 0:
            return refusal(issued)
        return Reading(settings=static(json.loads(issued.stdout)))

    def _run(self, environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [KEYLESS, *command], env=environment, cwd=self._folder, capture_output=True, text=True, timeout=60
        )
        assert result.returncode in (0, 2), result
        return result


def refusal(result: subprocess.CompletedProcess[str]) -> Reading:
    """Why not."""
    problem = json.loads(result.stderr)
    return Reading(refused=problem["message"], code=problem["code"])


def static(credential: dict) -> dict[str, str]:
    """A static key: everything is in the credential."""
    headers = {f"api.header.{header['name']}": header["value"] for header in credential["headers"]}
    return {"api.base_url": as_the_client_has_it(credential["base_url"]), **headers}


def exchanged(plan: dict[str, str]) -> dict[str, str]:
    """Workload identity: everything is in the plan."""
    settings = {"api.header.authorization": "Bearer (issued)"}
    for name, value in plan.items():
        if name == "api.base_url":
            settings[name] = as_the_client_has_it(value)
        elif name in ("api.organization", "api.project"):
            settings[name.replace("api.", "api.header.openai-")] = value
        elif name.startswith("api.default_headers."):
            settings[name.replace("default_headers", "header")] = value
        elif name == "refresh_buffer_seconds":
            if value != "half the lifetime or more":
                settings[name] = str(float(value))
        elif name.startswith(("source.", "exchange.")) and name not in ("source.endpoint", "exchange.type"):
            settings[name] = value
    return settings


def as_the_client_has_it(base_url: str) -> str:
    """The official client adds a slash, and writes hosts in lower case."""
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL:
        return base_url
    return str(url if url.raw_path.endswith(b"/") else url.copy_with(raw_path=url.raw_path + b"/"))
