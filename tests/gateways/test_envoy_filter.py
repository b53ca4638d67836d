"""Envoy with the filter: the engine inside, in a cluster and in a listener."""

import json
import re
import subprocess
import textwrap
import time
import unittest
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import yaml
from client import Answer, Client
from programs import PATIENCE
from promises import Promises
from sandbox import digest, header
from stage import DOCS, ENVOY, FILTER, GATEWAY, KEYLESS, SetUp, Stage, accepts, digests_in
from trap import FATAL, with_traps

WORKERS = 4
# Without what other Envoys of this machine could be in the way of.
COMMAND = ("envoy", "--config-path", "envoy.yaml", "--disable-hot-restart", "--concurrency", str(WORKERS))
IN_CLUSTER = {"envoy-filter.yaml": "envoy.yaml"}
IN_LISTENER = {"envoy-filter-listener.yaml": "envoy.yaml"}

# Per worker.
CLIENTS = 64


class Filtered(Promises):
    """Beside `unittest.TestCase`."""

    def test_the_admin_endpoint_shows_no_secret(self) -> None:
        with self.stage() as stage:
            self.assertEqual(stage.client.models().status, 200)
            shown = envoy(stage, "/config_dump") + envoy(stage, "/stats")
            self.assertIn("keyless.openai", shown)
            self.assertNotIn("bearer ", shown.lower())
            self.assertFalse(digests_in(shown) & stage.sandbox.digests())

    def test_a_cold_start_is_one_exchange_however_many_workers_and_requests(self) -> None:
        slow = SetUp(None, self.SET_UP.files, COMMAND, before=lambda stage: delay_exchange(stage, 2_000))
        with Stage(slow) as stage:
            answers = together(stage, WORKERS * CLIENTS)
            self.assertEqual({answer.status for answer in answers}, {200})
            self.assertEqual(stage.sandbox.exchanges(), 1)
            self.assertGreater(metric(stage, "requests_held_back"), WORKERS)
            self.assertEqual(metric(stage, "renewals"), 1)
            self.assertEqual(stage.leaks(), [])

    def test_who_waits_in_vain_is_told_why(self) -> None:
        with self.stage(exchange_works=False) as stage:
            answer = stage.client.models()
            self.assertEqual(answer.status, 503)
            self.assertGreater(int(answer.header("retry-after") or 0), 0)
            error = json.loads(answer.body)["error"]
            self.assertEqual((error["type"], error["code"]), ("keyless", "endpoint-failed"))
            self.assertGreater(metric(stage, "failures"), 0)
            self.assertEqual(metric(stage, "requests_turned_away"), 1)
            # And when it is there again, so is the credential.
            stage.sandbox.mend_exchange()
            self.assertEqual(until_200(stage).status, 200)

    def test_an_outage_of_the_token_endpoint_is_bridged(self) -> None:
        with self.stage() as stage:
            stage.sandbox.switch("/lifetime", seconds=12)
            stage.sandbox.switch("/revoke")
            self.assertEqual(until_200(stage).status, 200)
            stage.sandbox.break_exchange()
            failed = metric(stage, "failures")
            while metric(stage, "failures") == failed:
                self.assertEqual(stage.client.models().status, 200)
            stage.sandbox.mend_exchange()
            renewed = metric(stage, "renewals")
            while metric(stage, "renewals") == renewed:
                self.assertEqual(stage.client.models().status, 200)

    def test_each_exchange_reads_the_token_file_anew(self) -> None:
        with self.stage() as stage:
            self.assertEqual(stage.client.models().status, 200)
            shown = [subject_token(stage)]
            for _ in range(2):
                # As a kubelet does, by a new directory and a link.
                stage.sandbox.switch("/rotate-token")
                stage.sandbox.switch("/lifetime", seconds=4)
                before = stage.sandbox.exchanges()
                stage.sandbox.switch("/revoke")
                self.until(stage, lambda: stage.client.models() and stage.sandbox.exchanges() > before)
                shown.append(subject_token(stage))
            self.assertEqual(len(set(shown)), 3)

    def test_workers_that_break_are_replaced_and_nothing_is_exchanged_anew(self) -> None:
        with Stage(self.trapping()) as stage:
            self.assertEqual(stage.client.models().status, 200)
            broken = together(stage, 4 * WORKERS, Client.ask)
            self.assertEqual({answer.status for answer in broken}, {503})
            self.until_all_work(stage)
            self.assertEqual(stage.sandbox.exchanges(), 1)
            self.assertGreater(stat(stage, "wasm.openai.vm_reload_success"), 0)
            self.assertEqual(stage.leaks(), [])

    def test_a_leader_that_breaks_is_replaced(self) -> None:
        def break_leader(stage: Stage) -> None:
            fault = {"kind": "delay", "ms": 1_000, "then": {"kind": "body", "body": "x" * FATAL}}
            stage.sandbox.switch("/faults", service="exchange", fault=fault, times=1)

        with Stage(self.trapping(break_leader)) as stage:
            # It takes three seconds until a leader is taken for dead.
            client = Client(stage.ports[GATEWAY], patience=10)

            def status(_: int) -> int | None:
                try:
                    return client.models().status
                except TimeoutError:
                    return None

            with ThreadPoolExecutor(WORKERS * CLIENTS) as clients:
                statuses = list(clients.map(status, range(WORKERS * CLIENTS)))
            # Those that waited at the one that broke are lost, if it was a worker; the others notice nothing.
            self.assertLessEqual(set(statuses), {200, None})
            self.assertGreater(statuses.count(200), WORKERS * CLIENTS / 3)
            self.until_all_work(stage)
            self.assertEqual(stage.sandbox.exchanges(), 2)
            self.assertIn("unreachable", stage.gateway.said())

    def trapping(self, before=lambda stage: None) -> SetUp:
        """The set-up with a filter that breaks when a request has a body."""

        def swap(stage: Stage) -> None:
            module = stage.directory / "envoy-filter.wasm"
            module.unlink()
            module.write_bytes(with_traps(FILTER.read_bytes()))
            before(stage)

        return SetUp(None, self.SET_UP.files, COMMAND, before=swap)

    def until_all_work(self, stage: Stage) -> None:
        """Envoy takes its time with a worker that breaks again and again."""
        self.until(stage, lambda: {answer.status for answer in together(stage, CLIENTS)} == {200})

    def until(self, stage: Stage, holds) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), deadline, stage.gateway.said())
            time.sleep(0.02)


class InCluster(Filtered, unittest.TestCase):
    SET_UP = SetUp(None, IN_CLUSTER, COMMAND)

    def test_a_401_recovers_for_everybody(self) -> None:
        with self.stage() as stage:
            self.assertEqual(stage.client.models().status, 200)
            before = stage.sandbox.exchanges()
            stage.sandbox.switch("/revoke")
            answers = together(stage, CLIENTS)
            self.assertEqual({answer.status for answer in answers}, {200})
            self.assertEqual(stage.sandbox.exchanges(), before + 1)
            self.assertGreater(metric(stage, "rejections"), 0)

    def test_another_cluster_never_gets_the_credential(self) -> None:
        with Stage(SetUp(None, IN_CLUSTER, COMMAND, changed=with_another_cluster)) as stage:
            self.assertEqual(stage.client.models().status, 200)
            self.assertEqual(stage.client.request("GET", "/v1/models", None, {"host": "elsewhere"}).status, 401)
            first, second = stage.sandbox.calls()
            self.assertIsNotNone(header(first, "authorization"))
            self.assertIsNone(header(second, "authorization"))

    def test_who_stood_still_past_the_end_goes_on(self) -> None:
        with self.stage() as stage:
            stage.sandbox.switch("/lifetime", seconds=6)
            stage.sandbox.switch("/revoke")
            self.assertEqual(until_200(stage).status, 200)
            before = stage.sandbox.exchanges()
            stage.gateway.stand_still(8)
            answers = together(stage, CLIENTS)
            self.assertEqual({answer.status for answer in answers}, {200})
            self.assertLessEqual(stage.sandbox.exchanges(), before + 1)

    def test_a_secret_of_envoys_can_be_the_identity_token(self) -> None:
        """By the snippet of the page."""
        with Stage(SetUp(None, IN_CLUSTER, COMMAND, changed=with_secret, before=write_secret)) as stage:
            self.assertEqual(stage.client.models().status, 200)
            first = subject_token(stage)
            stage.sandbox.switch("/rotate-token")
            stage.sandbox.switch("/revoke")
            self.assertEqual(stage.client.models().status, 200)
            self.assertNotEqual(subject_token(stage), first)

    def test_envoys_file_server_can_give_the_identity_token(self) -> None:
        """Also one that is not there when Envoy starts."""

        def gone(stage: Stage) -> None:
            stage.sandbox.switch("/token-file", content=None)
            # It takes absolute paths only.
            config = stage.directory / "envoy.yaml"
            config.write_text(config.read_text().replace("file_path_prefix: ", f"file_path_prefix: {stage.directory}/"))

        with Stage(SetUp(None, IN_CLUSTER, COMMAND, changed=with_file_server, before=gone)) as stage:
            self.until(stage, lambda: metric(stage, "failures") > 0)
            self.assertIn("token-file-missing", stage.gateway.said())
            stage.sandbox.switch("/rotate-token")
            self.assertEqual(until_200(stage).status, 200)

    def test_a_minute_of_rotation_under_load_loses_nothing(self) -> None:
        with self.stage() as stage:
            stage.sandbox.switch("/lifetime", seconds=5)
            stage.sandbox.switch("/revoke")
            self.assertEqual(until_200(stage).status, 200)
            before = metric(stage, "renewals")
            end = time.monotonic() + 60

            def ask(_: int) -> set[int]:
                client, seen = Client(stage.ports[GATEWAY]), set()
                while time.monotonic() < end:
                    seen.add(client.models().status)
                return seen

            with ThreadPoolExecutor(8) as clients:
                seen = set().union(*clients.map(ask, range(8)))
            self.assertEqual(seen, {200})
            # Every two to two and a half seconds.
            self.assertGreater(metric(stage, "renewals"), before + 15)
            self.assertEqual(metric(stage, "failures"), 0)


class InListener(Filtered, unittest.TestCase):
    SET_UP = SetUp(None, IN_LISTENER, COMMAND)

    def test_a_401_recovers(self) -> None:
        """The filter is not asked again for a retry: who got the 401 asks again."""
        with self.stage() as stage:
            self.assertEqual(stage.client.models().status, 200)
            stage.sandbox.switch("/revoke")
            self.assertEqual(stage.client.models().status, 401)
            # Another worker may not have heard of it yet.
            self.until_all_work(stage)
            statuses = [answer.status for answer in stage.client.answers]
            self.assertLessEqual(statuses.count(401), WORKERS * CLIENTS)
            self.assertEqual(stage.sandbox.exchanges(), 2)

    def test_renewals_go_unnoticed(self) -> None:
        with self.stage() as stage:
            stage.sandbox.switch("/lifetime", seconds=5)
            stage.sandbox.switch("/revoke")
            self.until_all_work(stage)
            seen: set[str] = set()
            before = len(stage.sandbox.calls())
            while len(seen) < 3:
                self.assertEqual(stage.client.models().status, 200)
                seen = {digest(call) for call in stage.sandbox.calls()[before:]}


def has_secret(stage: Stage) -> bool:
    """Whether Envoy's injector has got what the filter gave."""
    if not (accepts(stage.ports[ENVOY]) and accepts(stage.ports[GATEWAY])):
        return False
    # 0 is for the empty one that it gets while there is none.
    version = re.search(r'^sds.openai.version_text: "(\d+)"$', envoy(stage, "/stats"), re.MULTILINE)
    return version is not None and (int(version.group(1)) > 0 or not stage.exchange_works)


class Dynamic(unittest.TestCase):
    """Envoy gets its listeners from a control plane, which changes them while requests are under way."""

    def test_a_new_configuration_takes_over_and_nothing_is_lost(self) -> None:
        with Stage(SetUp(None, IN_LISTENER, (*COMMAND, "--drain-time-s", "1"), before=to_control_plane)) as stage:
            self.assertEqual(until_200(stage).status, 200)
            end = time.monotonic() + 12
            statuses: set[int] = set()

            def ask(_: int) -> None:
                client = Client(stage.ports[GATEWAY])
                while time.monotonic() < end:
                    statuses.add(client.models().status)

            with ThreadPoolExecutor(8) as clients:
                asking = [clients.submit(ask, number) for number in range(8)]
                for seconds in (600, 900, 1_200):
                    before = stage.sandbox.exchanges()
                    change_listener(stage, seconds)
                    deadline = time.monotonic() + PATIENCE
                    # The same instance, another connection: it fetches a credential of its own.
                    while stage.sandbox.exchanges() == before:
                        self.assertLess(time.monotonic(), deadline, stage.gateway.said())
                        time.sleep(0.02)
            for done in asking:
                done.result()
            self.assertEqual(statuses, {200})
            self.assertEqual(stage.sandbox.exchanges(), 4)

    def test_one_that_is_wrong_changes_nothing(self) -> None:
        with Stage(SetUp(None, IN_LISTENER, COMMAND, before=to_control_plane)) as stage:
            self.assertEqual(until_200(stage).status, 200)
            change_listener(stage, "soon")
            deadline = time.monotonic() + PATIENCE
            while "keyless: field-value: `refresh_buffer_seconds`" not in stage.gateway.said():
                self.assertLess(time.monotonic(), deadline, stage.gateway.said())
                time.sleep(0.02)
            self.assertEqual(stage.client.models().status, 200)
            self.assertEqual(stage.sandbox.exchanges(), 1)


class ForInjector(Promises, unittest.TestCase):
    """The filter as the place where `credential_injector` gets its secret."""

    SET_UP = SetUp(None, {"envoy-filter-sds.yaml": "envoy.yaml"}, COMMAND, ready=has_secret)
    # Envoy's own: "Failed to inject credential."
    UNAVAILABLE = 401
    # The next attempt may be sooner than the next secret.
    REFUSALS = 3

    def test_a_cold_start_is_one_exchange(self) -> None:
        with self.stage() as stage:
            answers = together(stage, WORKERS * CLIENTS)
            self.assertEqual({answer.status for answer in answers}, {200})
            self.assertEqual(stage.sandbox.exchanges(), 1)

    def test_a_401_recovers_for_everybody(self) -> None:
        with self.stage() as stage:
            self.assertEqual(stage.client.models().status, 200)
            stage.sandbox.switch("/revoke")
            answers = together(stage, CLIENTS)
            self.assertEqual({answer.status for answer in answers}, {200})
            self.assertEqual(stage.sandbox.exchanges(), 2)

    def test_a_credential_that_has_ended_is_withdrawn(self) -> None:
        with self.stage() as stage:
            stage.sandbox.switch("/lifetime", seconds=4)
            stage.sandbox.switch("/revoke")
            self.assertEqual(stage.client.models().status, 200)
            stage.sandbox.break_exchange()
            deadline = time.monotonic() + PATIENCE
            while (answer := stage.client.models()).status == 200:
                self.assertLess(time.monotonic(), deadline)
            self.assertEqual(answer.body, b"Failed to inject credential.")
            # What reached the API was good to the end.
            statuses = [call["status"] for call in stage.sandbox.calls()]
            self.assertLessEqual(statuses.count(401), self.REFUSALS)
            stage.sandbox.mend_exchange()
            self.assertEqual(until_200(stage).status, 200)


class Examples(unittest.TestCase):
    # Of Envoy, Istio and Envoy Gateway: what happens to requests when the filter breaks.
    CLOSED = {"failure_policy": "FAIL_RELOAD", "failStrategy": "FAIL_RELOAD", "failOpen": False}

    def test_a_filter_that_breaks_lets_nothing_through(self) -> None:
        found = []
        for path in sorted(DOCS.glob("*.yaml")):
            for document in yaml.safe_load_all(path.read_text()):
                found += [(path.name, key, value) for key, value in pairs(document) if key in self.CLOSED]
        self.assertEqual([one for one in found if one[2] != self.CLOSED[one[1]]], [])
        named = {name for name, _, _ in found}
        self.assertEqual(named, {path.name for path in DOCS.glob("*filter*.yaml")})


class OnTheWay(unittest.TestCase):
    """What goes wrong between Envoy and the token endpoint is told apart, as far as Envoy tells it."""

    def test_why_there_is_no_answer(self) -> None:
        for code, change in (
            ("endpoint-unreachable", no_port),
            # Envoy 1.40 keeps to itself that it was the handshake.
            ("endpoint-unreachable", another_name),
            ("endpoint-unreachable", no_such_cluster),
            ("token-file-missing", no_such_file),
        ):
            with self.subTest(change=change.__name__), Stage(SetUp(None, IN_CLUSTER, COMMAND, changed=change)) as stage:
                answer = stage.client.models()
                self.assertEqual(answer.status, 503)
                self.assertEqual(json.loads(answer.body)["error"]["code"], code)
                self.assertEqual(stage.sandbox.exchanges(), 0)
                refused = stat(stage, "cluster.auth.openai.com.ssl.fail_verify_san")
                self.assertEqual(refused > 0, change is another_name)

    def test_an_endpoint_that_stalls_is_given_up(self) -> None:
        def stall(stage: Stage) -> None:
            stage.sandbox.switch("/faults", service="exchange", fault={"kind": "stall"})

        with Stage(SetUp(None, IN_CLUSTER, COMMAND, before=stall)) as stage:
            answer = stage.client.models()
            self.assertEqual(json.loads(answer.body)["error"]["code"], "endpoint-timeout")


class Configuration(unittest.TestCase):
    """Envoy starts only with a configuration that the filter understands, and its log says what is wrong with another."""

    def test_what_is_wrong_is_said_as_the_command_says_it(self) -> None:
        source = {"type": "kubernetes", "token_file_path": "/t"}
        exchange = {"identity_provider_id": "idp_1", "service_account_id": "svc_acct_1"}
        for connection in (
            {"source": {"type": "kubernets"}, "exchange": exchange},
            {"source": source, "exchange": {"identity_provider_id": "idp_1"}},
            {"source": source, "exchange": {**exchange, "token_endpoint": "http://auth.example/token"}},
            {"source": source, "exchange": exchange, "api_key": "k"},
            {"environment": "openai"},
        ):
            with self.subTest(connection=connection):
                document = json.dumps(connection)
                command = [KEYLESS, "plan", "--log-format", "json", "-c", document]
                problem = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stderr)
                # The command says where it has the document from.
                message = problem["message"].replace(", in the connection from -c", "")
                [(code, said)] = re.findall(r"keyless: ([a-z-]+): (.*)", refusal({"connection": connection}))
                self.assertEqual(code, problem["code"])
                # To which it may add advice.
                self.assertTrue(message.startswith(said), (message, said))

    def test_what_the_connection_needs_has_a_cluster(self) -> None:
        connection = {
            "source": {"type": "kubernetes", "token_file_path": "/t"},
            "exchange": {"identity_provider_id": "idp_1", "service_account_id": "svc_acct_1"},
        }
        self.assertIn("keyless: field-missing: `exchange_cluster`", refusal({"connection": connection}))
        with_exchange = {"connection": connection, "exchange_cluster": "auth.openai.com"}
        self.assertIn("keyless: field-missing: `identity_cluster`", refusal(with_exchange))
        self.assertIn("keyless: field-missing: `connection`", refusal({"conection": connection}))


def refusal(configuration: dict) -> str:
    """What Envoy says when it does not start."""

    def changed(text: str) -> str:
        config = yaml.safe_load(text)
        wasm(config)["configuration"]["value"] = configuration
        return yaml.safe_dump(config)

    try:
        with Stage(SetUp(None, IN_CLUSTER, (*COMMAND, "--log-level", "error"), changed=changed)):
            return "Envoy takes it"
    except AssertionError as error:
        return str(error)


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


def write_secret(stage: Stage) -> None:
    kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
    secret = {"@type": kind, "name": "svid", "generic_secret": {"secret": {"filename": "tokens/token"}}}
    (stage.directory / "secrets.yaml").write_text(yaml.safe_dump({"resources": [secret]}))


def wasm(config: dict) -> dict:
    """The plugin in the cluster `openai`."""
    [options] = named(config, "openai")["typed_extension_protocol_options"].values()
    return options["http_filters"][0]["typed_config"]["extension_config"]["typed_config"]["config"]


def named(config: dict, name: str) -> dict:
    """A cluster."""
    [cluster] = [cluster for cluster in config["static_resources"]["clusters"] if cluster["name"] == name]
    return cluster


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


def pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at any depth."""
    if isinstance(value, dict):
        yield from value.items()
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from pairs(inner)


def delay_exchange(stage: Stage, ms: int, times: int | None = None) -> None:
    often = {} if times is None else {"times": times}
    stage.sandbox.switch("/faults", service="exchange", fault={"kind": "delay", "ms": ms}, **often)


def together(stage: Stage, number: int, ask=Client.models) -> list[Answer]:
    """So many at once, each over a connection of its own."""
    with ThreadPoolExecutor(number) as clients:
        answers: list[Future] = [clients.submit(ask, stage.client) for _ in range(number)]
    return [answer.result() for answer in answers]


def until_200(stage: Stage) -> Answer:
    """Asks again as long as there is no credential."""
    deadline = time.monotonic() + PATIENCE
    while (answer := stage.client.models()).status != 200 and time.monotonic() < deadline:
        assert answer.status in (401, 503), answer
    return answer


def subject_token(stage: Stage) -> str:
    """The digest of the identity token that was traded last."""
    requests = json.loads(stage.sandbox.get("/state"))["requests"]["exchange"]
    return requests[-1]["body"]["subject_token"]["sha256"]


def envoy(stage: Stage, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{stage.ports[ENVOY]}{path}", timeout=30) as answer:
        return answer.read().decode()


def stat(stage: Stage, name: str) -> int:
    return int(envoy(stage, f"/stats?filter=^{name}$").rpartition(": ")[2])


def metric(stage: Stage, name: str) -> int:
    return stat(stage, f"wasmcustom.keyless.openai.{name}")


if __name__ == "__main__":
    unittest.main()
