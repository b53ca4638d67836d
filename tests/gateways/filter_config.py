"""Changes to the files of docs/gateways for tests of the filter: a cluster more, another way for the identity token, something
wrong."""

import re
import textwrap

import yaml
from stage import DOCS, Stage


def with_another_cluster(text: str) -> str:
    """A second virtual host, to the same place by a cluster without the filter."""
    config = yaml.safe_load(text)
    resources = config["static_resources"]
    plain = {**named(config, "openai"), "name": "plain"}
    del plain["typed_extension_protocol_options"]
    resources["clusters"].append(plain)
    manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["route_config"]["virtual_hosts"].append(
        {
            "name": "elsewhere",
            "domains": ["elsewhere"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "plain", "host_rewrite_literal": "api.openai.com"}}],
        }
    )
    return yaml.safe_dump(config)


def no_port(text: str) -> str:
    """Nobody listens there: port 1 is nobody's on a machine of today."""
    config = yaml.safe_load(text)
    [endpoint] = named(config, "auth.openai.com")["load_assignment"]["endpoints"][0]["lb_endpoints"]
    endpoint["endpoint"]["address"]["socket_address"]["port_value"] = 1
    return yaml.safe_dump(config)


def another_name(text: str) -> str:
    config = yaml.safe_load(text)
    tls = named(config, "auth.openai.com")["transport_socket"]["typed_config"]
    tls["common_tls_context"]["validation_context"]["match_typed_subject_alt_names"][0]["matcher"] = {"exact": "other.example"}
    return yaml.safe_dump(config)


def no_such_cluster(text: str) -> str:
    config = yaml.safe_load(text)
    wasm(config)["configuration"]["value"]["exchange_cluster"] = "misspelt"
    return yaml.safe_dump(config)


def no_such_file(text: str) -> str:
    config = yaml.safe_load(text)
    wasm(config)["configuration"]["value"]["connection"]["source"]["token_file_path"] = "/elsewhere"
    return yaml.safe_dump(config)


def with_secret(text: str) -> str:
    """The identity token is a secret of Envoy's, as docs/gateways/envoy-filter.md shows it."""
    config = yaml.safe_load(text)
    [shown] = re.findall(r"^  ```yaml\n(.*?)^  ```$", (DOCS / "envoy-filter.md").read_text(), re.DOTALL | re.MULTILINE)
    manager = config["static_resources"]["listeners"][1]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["route_config"]["virtual_hosts"][0]["routes"] = yaml.safe_load(textwrap.dedent(shown))
    wasm(config)["configuration"]["value"]["connection"]["source"]["token_file_path"] = "/secrets/svid"
    return yaml.safe_dump(config)


def write_secret(stage: Stage) -> None:
    kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
    secret = {"@type": kind, "name": "svid", "generic_secret": {"secret": {"filename": "tokens/token"}}}
    (stage.directory / "secrets.yaml").write_text(yaml.safe_dump({"resources": [secret]}))


def with_file_server(text: str) -> str:
    """Envoy reads the file for each request."""
    config = yaml.safe_load(text)
    manager = config["static_resources"]["listeners"][1]["filter_chains"][0]["filters"][0]["typed_config"]
    # It wants a route to be there.
    otherwise = {"match": {"prefix": "/"}, "direct_response": {"status": 404}}
    manager["route_config"]["virtual_hosts"][0]["routes"] = [otherwise]
    kind = "type.googleapis.com/envoy.extensions.filters.http.file_server.v3.FileServerConfig"
    files = {
        "@type": kind,
        "manager_config": {"thread_pool": {"thread_count": 1}},
        "path_mappings": [{"request_path_prefix": "/var/run/secrets/tokens/", "file_path_prefix": "tokens/"}],
        "default_content_type": "text/plain",
    }
    manager["http_filters"].insert(0, {"name": "files", "typed_config": files})
    return yaml.safe_dump(config)


def to_control_plane(stage: Stage) -> None:
    """The listener with the filter comes from a file that Envoy follows."""
    file = stage.directory / "envoy.yaml"
    config = yaml.safe_load(file.read_text())
    listener = config["static_resources"]["listeners"].pop(0)
    lds = {"path_config_source": {"path": str(stage.directory / "listeners.yaml")}}
    config["dynamic_resources"] = {"lds_config": {"resource_api_version": "V3", **lds}}
    file.write_text(yaml.safe_dump(config))
    kind = "type.googleapis.com/envoy.config.listener.v3.Listener"
    (stage.directory / "listeners.yaml").write_text(yaml.safe_dump({"resources": [{"@type": kind, **listener}]}))


def change_listener(stage: Stage, refresh_buffer_seconds: int | str) -> None:
    file = stage.directory / "listeners.yaml"
    config = yaml.safe_load(file.read_text())
    manager = config["resources"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    [plugin] = [found for found in manager["http_filters"] if found["name"] == "keyless"]
    plugin = plugin["typed_config"]["extension_config"]["typed_config"]["config"]
    plugin["configuration"]["value"]["connection"]["refresh_buffer_seconds"] = refresh_buffer_seconds
    # Envoy follows renames.
    (stage.directory / "next.yaml").write_text(yaml.safe_dump(config))
    (stage.directory / "next.yaml").rename(file)


def wasm(config: dict) -> dict:
    """The plugin in the cluster `openai`."""
    [options] = named(config, "openai")["typed_extension_protocol_options"].values()
    return options["http_filters"][0]["typed_config"]["extension_config"]["typed_config"]["config"]


def named(config: dict, name: str) -> dict:
    """A cluster."""
    [cluster] = [cluster for cluster in config["static_resources"]["clusters"] if cluster["name"] == name]
    return cluster
