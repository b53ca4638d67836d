"""Every source with every exchange in one Envoy, each with the filter of a cluster of its own."""

import json
import os
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import yaml
from client import Client
from stage import KEYLESS, GATEWAY, SetUp, Stage

# All but `custom`: it asks a component, and Envoy loads none.
EXPECTED = {"kubernetes", "file", "azure", "gcp", "aws", "github", "variable", "spiffe", "aks", "eks", "x509"}

HTTP = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
MANAGER = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)


class Sources(unittest.TestCase):
    def test_each_gets_its_credential_through_clusters(self) -> None:
        recipes: dict[str, dict[str, Any]] = {}

        def write(stage: Stage) -> None:
            recipes.update(stage.told["documents"]["combinations"])
            (stage.directory / "envoy.yaml").write_text(yaml.safe_dump(Envoy(stage, recipes).config()))

        command = ("envoy", "--config-path", "envoy.yaml", "--disable-hot-restart", "--concurrency", "1")
        with Stage(SetUp(None, {}, command, before=write)) as stage:
            sources = {json.loads(recipe["document"])["source"]["type"] for recipe in recipes.values()}
            self.assertEqual(sources, EXPECTED)

            def ask(name: str) -> tuple[str, int, str]:
                path = urlsplit(recipes[name]["try_on"]).path
                # Anthropic's API wants to know from its client which version of it is meant.
                headers = {"host": name, "anthropic-version": "2023-06-01"}
                answer = Client(stage.ports[GATEWAY]).request("GET", path, None, headers)
                return name, answer.status, "" if answer.status == 200 else answer.body.decode()

            with ThreadPoolExecutor(16) as clients:
                answers = list(clients.map(ask, recipes))
            self.assertEqual([answer for answer in answers if answer[1] != 200], [])


class Envoy:
    """A configuration with a virtual host, a cluster and a filter for each connection, and one cluster for each place that
    any of them asks."""

    def __init__(self, stage: Stage, recipes: dict[str, dict[str, Any]]) -> None:
        self._stage = stage
        self._recipes = recipes
        self._files: set[str] = set()
        self._clusters: dict[str, dict[str, Any]] = {}
        self._hosts: list[dict[str, Any]] = []

    def config(self) -> dict[str, Any]:
        identity = str(self._stage.directory / "sockets" / "identity.sock")
        for name, recipe in self._recipes.items():
            self._add(name, recipe)
        files = [
            {"match": {"path": path}, "direct_response": {"status": 200, "body": {"filename": path}}}
            for path in sorted(self._files)
        ]
        self._clusters["identity"] = cluster("identity", {"pipe": {"path": identity}})
        return {
            "node": {"id": "envoy", "cluster": "envoy"},
            "static_resources": {
                "listeners": [
                    listener("clients", socket(self._stage.ports[GATEWAY]), self._hosts),
                    listener("identity", {"pipe": {"path": identity}}, [{"name": "f", "domains": ["*"], "routes": files}]),
                ],
                "clusters": list(self._clusters.values()),
            },
        }

    def _add(self, name: str, recipe: dict[str, Any]) -> None:
        needs = self._plan(recipe)
        document = json.loads(recipe["document"])
        exchange = needs["endpoints"][-1]["url"]
        moved = dict(map(split_connect_to, recipe["connect_to"]))
        clusters = {}
        for endpoint in needs["endpoints"]:
            parts = urlsplit(endpoint["url"])
            port = moved.get(parts.netloc, parts.port)
            clusters[parts.netloc] = self._place(port, parts.scheme == "https", document["source"])
        self._files.update(needs["files"])
        settings = {
            "connection": document,
            # One by its place, as the others could be.
            "exchange_cluster": clusters.pop(urlsplit(exchange).netloc),
            "identity_cluster": "identity",
            "clusters": clusters,
        }
        upstream = cluster(name, socket(urlsplit(recipe["try_on"]).port), self._tls(document["source"]))
        upstream["typed_extension_protocol_options"] = {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": HTTP,
                "explicit_http_config": {"http_protocol_options": {}},
                "http_filters": [wasm(name, settings, recipe["variables"]), upstream_codec()],
            }
        }
        self._clusters[name] = upstream
        route = {"match": {"prefix": "/"}, "route": {"cluster": name, "host_rewrite_literal": "localhost", "timeout": "60s"}}
        self._hosts.append({"name": name, "domains": [name], "routes": [route]})

    def _plan(self, recipe: dict[str, Any]) -> dict[str, Any]:
        """What the connection needs, as the command tells it."""
        said = subprocess.run(
            [KEYLESS, "plan", "--json", "-c", recipe["document"]],
            env={**os.environ, **recipe["variables"]},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(said.stdout)["requirements"]

    def _place(self, port: int | None, encrypted: bool, source: dict[str, Any]) -> str:
        name = f"port-{port}" + ("-x509" if source["type"] == "x509" else "")
        self._clusters[name] = cluster(name, socket(port), self._tls(source) if encrypted else None)
        return name

    def _tls(self, source: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = {
            "validation_context": {
                "trusted_ca": {"filename": "ca.pem"},
                "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "localhost"}}],
            }
        }
        if source["type"] == "x509":
            context["tls_certificates"] = [
                {
                    "certificate_chain": {"filename": source["certificate_file"]},
                    "private_key": {"filename": source["private_key_file"]},
                }
            ]
        return {"sni": "localhost", "common_tls_context": context}


def wasm(name: str, settings: dict[str, Any], variables: dict[str, str]) -> dict[str, Any]:
    vm: dict[str, Any] = {
        # The same for all: those with the same variables have one instance, which has to tell them apart.
        "vm_id": "keyless",
        "runtime": "envoy.wasm.runtime.v8",
        "code": {"local": {"filename": "envoy-filter.wasm"}},
    }
    if variables:
        vm["environment_variables"] = {"key_values": variables}
    config = {
        "name": name,
        "failure_policy": "FAIL_RELOAD",
        "vm_config": vm,
        "configuration": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": settings},
    }
    kind = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
    return {"name": "envoy.filters.http.wasm", "typed_config": {"@type": kind, "config": config}}


def upstream_codec() -> dict[str, Any]:
    kind = "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
    return {"name": "envoy.filters.http.upstream_codec", "typed_config": {"@type": kind}}


def listener(name: str, address: dict[str, Any], hosts: list[dict[str, Any]]) -> dict[str, Any]:
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    manager = {
        "@type": MANAGER,
        "stat_prefix": name,
        "route_config": {"max_direct_response_body_size_bytes": 16384, "virtual_hosts": hosts},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {"name": name, "address": address, "filter_chains": [{"filters": filters}]}


def cluster(name: str, address: dict[str, Any], tls: dict[str, Any] | None = None) -> dict[str, Any]:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    made: dict[str, Any] = {
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }
    if tls is not None:
        kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
        made["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {"@type": kind, **tls},
        }
    return made


def socket(port: int | None) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def split_connect_to(text: str) -> tuple[str, int]:
    """Host and port as a URL has them, which leaves the usual one out; and the port on this machine."""
    host, port, _, here = text.split(":")
    return f"{host}:{port}".removesuffix(":80"), int(here)


if __name__ == "__main__":
    unittest.main()
