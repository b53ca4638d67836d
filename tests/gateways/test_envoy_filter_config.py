"""The filter's configuration in Envoy: what is wrong with it, how it is changed, and what goes wrong on the way."""

import json
import re
import subprocess
import time
import unittest
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import yaml
from client import Client
from filter_config import another_name, change_listener, no_port, no_such_cluster, no_such_file, to_control_plane, wasm
from filter_stage import COMMAND, IN_CLUSTER, IN_LISTENER, stat, until, until_200
from stage import DOCS, GATEWAY, KEYLESS, SetUp, Stage


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
                    # The same instance, another connection: it fetches a credential of its own.
                    until(stage, lambda before=before: stage.sandbox.exchanges() > before)
            for done in asking:
                done.result()
            self.assertEqual(statuses, {200})
            self.assertEqual(stage.sandbox.exchanges(), 4)

    def test_one_that_is_wrong_changes_nothing(self) -> None:
        with Stage(SetUp(None, IN_LISTENER, COMMAND, before=to_control_plane)) as stage:
            self.assertEqual(until_200(stage).status, 200)
            change_listener(stage, "soon")
            until(stage, lambda: "keyless: field-value: `refresh_buffer_seconds`" in stage.gateway.said())
            self.assertEqual(stage.client.models().status, 200)
            self.assertEqual(stage.sandbox.exchanges(), 1)


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


def pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at any depth."""
    if isinstance(value, dict):
        yield from value.items()
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from pairs(inner)


if __name__ == "__main__":
    unittest.main()
