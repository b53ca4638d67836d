"""What the filter costs in Envoy: one process with one worker, and a listener for each way to set a credential; each way in
turn, in many short rounds, compared with Envoy's own `credential_injector` in the same round."""

import http.client
import json
import re
import secrets
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import floor
import yaml
from parties import GATEWAYS, ROOT, WRK, Process, filled, free_port
from rates import milliseconds

CONNECTIONS = 16
ROUNDS = 20
FILTER = ROOT / "target" / "components" / "envoy-filter.wasm"

# In the order of the table; the first two are what the others are held against, the modules of `floor` are the least that a
# filter can be.
WAYS = ("nothing", "injector", *floor.MODULES, "filter", "filter, 401 matched", "injector, fed by the filter")
# Where nothing sets a credential, the client sends its own.
WITHOUT = ("nothing", "a module without callbacks")


def measure(seconds: int) -> int:
    build()
    with tempfile.TemporaryDirectory(prefix="keyless-load-") as directory:
        home = Path(directory)
        # As long as tokens are.
        key = secrets.token_urlsafe(900)
        upstream = free_port()
        with api(home, key, upstream):
            for title, to in (("a direct response", None), ("a real upstream", upstream)):
                print(f"\n{title}: {CONNECTIONS} connections, one worker, {ROUNDS} rounds of {seconds} s")
                rates(home, key, to, seconds)
            memory(home, key, upstream)
    return 0


def build() -> None:
    package = ["--release", "--quiet", "--package", "keyless-envoy-filter"]
    subprocess.run(["cargo", "run", *package, "--", FILTER.parent], cwd=ROOT, check=True)


def api(home: Path, key: str, port: int) -> Process:
    text = re.sub(r".*(ssl|@TLS@).*\n", "", filled("upstream.conf", {"KEY": key, "PLAIN": str(port)}))
    (home / "upstream.conf").write_text(text)
    return Process("API", [GATEWAYS / "nginx", "-p", f"{home}/", "-c", home / "upstream.conf"], home, port)


def rates(home: Path, key: str, upstream: int | None, seconds: int) -> None:
    ports = {way: free_port() for way in WAYS}
    config = home / "envoy.json"
    config.write_text(json.dumps(envoy(home, key, ports, upstream)))
    with Process("Envoy", command(config, 1), home, *ports.values()) as running:
        headers = {way: f"authorization: Bearer {key}" if way in WITHOUT else "x-own: none" for way in WAYS}
        for way in WAYS:
            until_it_answers(ports[way], headers[way])
            wrk(ports[way], 2, headers[way])
        turns = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way in WAYS:
                before = running.processor()
                rate, middle, late, number = wrk(ports[way], seconds, headers[way])
                turns[way].append((rate, middle, late, (running.processor() - before) / number * 1e6))
    print("| | requests/s | of the injector's | p50 ms | p99 ms | processor, µs each |")
    print("|---|---|---|---|---|---|")
    for way, rounds in turns.items():
        rate, middle, late, each = (statistics.median(column) for column in zip(*rounds))
        share = statistics.median(own[0] / other[0] for own, other in zip(rounds, turns["injector"]))
        print(f"| {way} | {rate:,.0f} | {share:.2f} | {middle:.2f} | {late:.2f} | {each:.1f} |", flush=True)


def memory(home: Path, key: str, upstream: int) -> None:
    """What one more worker costs, with the filter and without."""
    print("\nmemory, by 8 workers and by 1, in front of the same upstream")
    print("| | 1 worker, MiB | 8 workers, MiB | each further one, KiB |")
    print("|---|---|---|---|")
    each = {}
    for way in ("injector", "filter"):
        sizes = []
        for workers in (1, 8):
            ports = {way: free_port()}
            config = home / "envoy.json"
            config.write_text(json.dumps(envoy(home, key, ports, upstream)))
            with Process("Envoy", command(config, workers), home, *ports.values()) as running:
                wrk(ports[way], 2, "x-own: none", connections=64)
                sizes.append(running.memory())
        one, eight = sizes
        each[way] = (eight - one) / 7
        print(f"| {way} | {one / 2**20:.1f} | {eight / 2**20:.1f} | {each[way] / 1024:.0f} |", flush=True)
    print(f"the filter itself: {(each['filter'] - each['injector']) / 1024:.0f} KiB per worker")


def command(config: Path, workers: int) -> list:
    envoy_itself = [GATEWAYS / "envoy", "-c", config, "--concurrency", str(workers)]
    return [*envoy_itself, "--log-level", "error", "--use-dynamic-base-id"]


def until_it_answers(port: int, header: str) -> None:
    """The injector gets its first secret a moment after Envoy has started."""
    name, _, value = header.partition(": ")
    deadline = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/v1/models", headers={name: value})
        status = connection.getresponse().status
        connection.close()
        if status == 200:
            return
        assert time.monotonic() < deadline, status
        time.sleep(0.05)


def wrk(port: int, seconds: int, header: str, connections: int = CONNECTIONS) -> tuple[float, float, float, int]:
    """Requests per second; median and 99th percentile of their times, in ms; how many there were."""
    said = subprocess.run(
        [WRK, "-t1", f"-c{connections}", f"-d{seconds}", "-H", header, "--latency", f"http://127.0.0.1:{port}/v1/models"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "Non-2xx" not in said and "Socket errors" not in said, said
    rate = float(re.search(r"Requests/sec: +([\d.]+)", said).group(1))
    return rate, milliseconds(said, "50%"), milliseconds(said, "99%"), int(re.search(r"(\d+) requests in", said).group(1))


def envoy(home: Path, key: str, ports: dict[str, int], upstream: int | None) -> dict:
    """The filters of a way are those of the cluster where there is one, else of the listener."""
    socket = str(home / "keyless.sock")
    listeners, clusters = [], []
    for number, (way, port) in enumerate(ports.items()):
        name = f"way-{number}"
        filters = filters_of(way, home, key)
        if upstream is None:
            route = {"direct_response": {"status": 200, "body": {"inline_string": "hello"}}}
            listeners.append(listener(name, tcp(port), route, filters))
        else:
            listeners.append(listener(name, tcp(port), {"route": {"cluster": name, "timeout": "60s"}}, []))
            clusters.append(cluster(name, tcp(upstream), [*filters, UPSTREAM_CODEC] if filters else []))
    if "injector, fed by the filter" in ports:
        listeners.append(listener("keyless", {"pipe": {"path": socket}}, None, [filter_of(key, serve=True)]))
        clusters.append(cluster("keyless", {"pipe": {"path": socket}}, []))
    return {
        "node": {"id": "envoy", "cluster": "envoy"},
        "static_resources": {
            "listeners": listeners,
            "clusters": clusters,
            "secrets": [{"name": "key", "generic_secret": {"secret": {"inline_string": f"Bearer {key}"}}}],
        },
    }


def typed(name: str, kind: str, **settings) -> dict:
    return {"name": name, "typed_config": {"@type": f"type.googleapis.com/{kind}", **settings}}


def injector(credential: dict) -> dict:
    generic = "envoy.extensions.http.injected_credentials.generic.v3.Generic"
    inner = typed("envoy.http.injected_credentials.generic", generic, header="authorization", credential=credential)
    kind = "envoy.extensions.filters.http.credential_injector.v3.CredentialInjector"
    return typed("envoy.filters.http.credential_injector", kind, overwrite=True, credential=inner)


def filter_of(key: str, serve: bool = False) -> dict:
    value = {"connection": {"api_key": key}, "serve": serve}
    configuration = {"@type": "type.googleapis.com/google.protobuf.Struct", "value": value}
    return wasm(f"keyless-{serve}", FILTER, configuration=configuration)


def wasm(vm_id: str, module: Path, **more) -> dict:
    code = {"local": {"filename": str(module)}}
    vm_config = {"vm_id": vm_id, "runtime": "envoy.wasm.runtime.v8", "code": code}
    config = {"name": "openai", "failure_policy": "FAIL_RELOAD", "vm_config": vm_config, **more}
    return typed("envoy.filters.http.wasm", "envoy.extensions.filters.http.wasm.v3.Wasm", config=config)


def filters_of(way: str, home: Path, key: str) -> list[dict]:
    return [wasm(way, floor.build(way, home, key))] if way in floor.MODULES else FILTERS[way](key)


def fed(_: str) -> list[dict]:
    """As in docs/gateways: the injector with its secret from the filter, and what tells of a 401."""
    return shown("envoy-filter-sds.yaml")[:2]


def matched(key: str) -> list[dict]:
    """As in docs/gateways: only answers with 401 get into the filter."""
    [filter_there, _] = shown("envoy-filter.yaml")
    filter_there["typed_config"]["extension_config"] = filter_of(key)
    return [filter_there]


def shown(name: str) -> list[dict]:
    """The filters of the cluster `openai` in a file of docs/gateways."""
    config = yaml.safe_load((ROOT / "docs" / "gateways" / name).read_text())
    [openai] = [cluster for cluster in config["static_resources"]["clusters"] if cluster["name"] == "openai"]
    [options] = openai["typed_extension_protocol_options"].values()
    return options["http_filters"]


FILTERS = {
    "nothing": lambda key: [],
    "injector": lambda key: [injector({"name": "key"})],
    "filter": lambda key: [filter_of(key)],
    "filter, 401 matched": matched,
    "injector, fed by the filter": fed,
}

UPSTREAM_CODEC = typed(
    "envoy.filters.http.upstream_codec", "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
)


def tcp(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def listener(name: str, address: dict, action: dict | None, filters: list[dict]) -> dict:
    routes = [{"match": {"prefix": "/"}, **action}] if action else []
    router = typed("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router")
    manager = typed(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=name,
        route_config={"virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}]},
        http_filters=[*filters, router],
    )
    return {"name": name, "address": address, "filter_chains": [{"filters": [manager]}]}


def cluster(name: str, address: dict, filters: list[dict]) -> dict:
    most = {"max_connections": 20000, "max_pending_requests": 20000, "max_requests": 20000}
    made = {
        "name": name,
        "type": "STATIC",
        "circuit_breakers": {"thresholds": [most]},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]},
    }
    if filters:
        kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        options = {"@type": f"type.googleapis.com/{kind}", "explicit_http_config": {"http_protocol_options": {}}}
        made["typed_extension_protocol_options"] = {kind: {**options, "http_filters": filters}}
    return made
