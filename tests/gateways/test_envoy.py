"""Envoy: asking for each attempt (ext_proc, ext_authz), and with its own credential_injector (SDS)."""

import unittest
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from promises import Promises
from stage import ENVOY, SetUp, digests_in

# Without what other Envoys of this machine could be in the way of.
COMMAND = ("envoy", "--config-path", "envoy.yaml", "--disable-hot-restart")

# More than Envoy's own limit of retries at a time, which is three.
CLIENTS = 64


class Together(Promises):
    """Beside `unittest.TestCase`."""

    def test_a_401_recovers_for_everybody(self) -> None:
        with self.stage() as stage:
            self.assertEqual(stage.client.models().status, 200)
            before = stage.sandbox.exchanges()
            stage.sandbox.switch("/revoke")
            with ThreadPoolExecutor(CLIENTS) as clients:
                answers = list(clients.map(lambda _: stage.client.models(), range(CLIENTS)))
            self.assertEqual([answer.status for answer in answers], [200] * CLIENTS)
            self.assertEqual(stage.sandbox.exchanges(), before + 1)


class ExtAuthzHttp(Together, unittest.TestCase):
    SET_UP = SetUp("keyless-authz-envoy.toml", {"envoy-ext-authz-http.yaml": "envoy.yaml"}, COMMAND)


class ExtAuthzGrpc(Together, unittest.TestCase):
    SET_UP = SetUp("keyless-authz-envoy.toml", {"envoy-ext-authz-grpc.yaml": "envoy.yaml"}, COMMAND)


class ExtProc(Together, unittest.TestCase):
    SET_UP = SetUp("keyless-authz-envoy.toml", {"envoy-ext-proc.yaml": "envoy.yaml"}, COMMAND)


class Sds(Together):
    """Beside `unittest.TestCase`."""

    # The next attempt may be sooner than the next secret.
    REFUSALS = 3

    def test_the_admin_endpoint_shows_no_secret(self) -> None:
        with self.stage() as stage:
            self.assertEqual(stage.client.models().status, 200)
            with urllib.request.urlopen(f"http://127.0.0.1:{stage.ports[ENVOY]}/config_dump", timeout=30) as answer:
                shown = answer.read().decode()
            self.assertIn('"openai"', shown)
            self.assertNotIn("bearer ", shown.lower())
            self.assertFalse(digests_in(shown) & stage.sandbox.digests())


class SdsFile(Sds, unittest.TestCase):
    SET_UP = SetUp("keyless-sds-file.toml", {"envoy-sds-file.yaml": "envoy.yaml"}, COMMAND)

    def test_nothing_is_forwarded_without_a_credential(self) -> None:
        """Envoy does not start before there is a file."""
        with self.assertRaisesRegex(AssertionError, "openai.yaml' does not exist"), self.stage(exchange_works=False):
            pass


class SdsGrpc(Sds, unittest.TestCase):
    SET_UP = SetUp("keyless-sds-grpc.toml", {"envoy-sds-grpc.yaml": "envoy.yaml"}, COMMAND)
    # Envoy's own: "Failed to inject credential."
    UNAVAILABLE = 401


if __name__ == "__main__":
    unittest.main()
