"""What the manifests of docs/gateways put into an Envoy, in Envoy's own words, which no schema of a Kubernetes object knows.

Put together to an Envoy that does not run, but says whether it would: what Istio or Envoy Gateway make of the rest of a file
is left out, and the filter stands in a listener of its own, with its configuration as they hand it over.
"""

import copy
import json
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from programs import INSTALLED
from stage import FILTER, SOCKETS

HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
TEXT = "type.googleapis.com/google.protobuf.StringValue"

# Where the manifests mount the identity token, and where the images of both have their certificates.
IDENTITY = "/var/run/secrets/keyless"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

Resources = dict[str, list[dict[str, Any]]]


def resources(objects: list[dict[str, Any]]) -> Resources:
    """The listeners and clusters that the objects of one file add."""
    found: Resources = {"listeners": [], "clusters": []}
    for object in objects:
        if object["kind"] == "EnvoyFilter":
            for patch in object["spec"]["configPatches"]:
                assert patch["patch"]["operation"] == "ADD", "nothing else can be put together here"
                found[f"{patch['applyTo'].lower()}s"].append(patch["patch"]["value"])
        if object["kind"] == "EnvoyProxy":
            added = yaml.safe_load(object["spec"]["bootstrap"]["value"])
            assert set(added) == {"static_resources"}
            for kind, values in added["static_resources"].items():
                found[kind] += values
    return found


def configurations(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The filter's, by the name that Envoy is told for it."""
    found = {}
    for object in objects:
        metadata, spec = object["metadata"], object.get("spec", {})
        if object["kind"] == "WasmPlugin":
            found[f"{metadata['namespace']}.{metadata['name']}"] = spec["pluginConfig"]
        if object["kind"] == "EnvoyExtensionPolicy":
            found |= {wasm["name"]: wasm["config"] for wasm in spec["wasm"]}
    return found


def clusters(objects: list[dict[str, Any]]) -> set[str]:
    """The names of those that there will be: what is added, and what Istio makes of a ServiceEntry."""
    entries = [object["spec"] for object in objects if object["kind"] == "ServiceEntry"]
    made = {
        f"outbound|{port['number']}||{host}" for entry in entries for host in entry["hosts"] for port in entry["ports"]
    }
    return made | {cluster["name"] for cluster in resources(objects)["clusters"]}


def with_filter(name: str, configuration: dict[str, Any]) -> Resources:
    """A listener with the filter, as Istio and Envoy Gateway both set it up."""
    config = {
        "name": name,
        "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": str(FILTER)}}},
        "configuration": {"@type": TEXT, "value": json.dumps(configuration)},
    }
    http = {
        "@type": HTTP,
        "stat_prefix": "clients",
        "route_config": {},
        "http_filters": [
            {"name": "filter", "typed_config": {"@type": WASM, "config": config}},
            {"name": "router", "typed_config": {"@type": ROUTER}},
        ],
    }
    address = {"pipe": {"path": f"{SOCKETS}/clients.sock"}}
    chain = {"filters": [{"name": "http", "typed_config": http}]}
    return {"listeners": [{"name": "clients", "address": address, "filter_chains": [chain]}], "clusters": []}


def misspelt(value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A copy for each message below it, with a field in that which it does not have, and where that is."""
    for path in messages(value):
        changed = copy.deepcopy(value)
        message: Any = changed
        for step in path:
            message = message[step]
        message["misspelt"] = 1
        yield "/".join(map(str, path)), changed


def messages(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict) and path:
        yield path
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from messages(inner, (*path, step))


def refusal(resources: Resources) -> str:
    """What Envoy has against them, or thinks worth a warning; the filter in it speaks for itself."""
    with tempfile.TemporaryDirectory(prefix="keyless-patches-") as directory:
        place = Path(directory)
        (place / "identity").mkdir()
        (place / "identity" / "token").write_text("token")
        (place / "ca.pem").write_text(certificates())
        text = json.dumps({"static_resources": resources})
        for known, instead in ((IDENTITY, "identity"), (CERTIFICATES, "ca.pem"), (SOCKETS, "sockets")):
            text = text.replace(known, str(place / instead))
        file = place / "envoy.json"
        file.write_text(text)
        command = [str(INSTALLED / "envoy"), "--mode", "validate", "--config-path", str(file), "--log-level", "warn"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if said.returncode != 0:
            return said.stderr or "refused"
        return (said.stdout + said.stderr).replace(f"configuration '{file}' OK\n", "")


@cache
def certificates() -> str:
    """One that Node.js brings along, in place of a machine's."""
    node = INSTALLED.parent / "venv" / "bin" / "node"
    command = [str(node), "--print", 'require("tls").rootCertificates[0]']
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
