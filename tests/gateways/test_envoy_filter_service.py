"""Envoy with the filter as the place where its own injector gets the secret."""

import re
import time
import unittest

import yaml
from filter_stage import CLIENTS, COMMAND, WORKERS, envoy, together, until_200
from programs import PATIENCE
from promises import Promises
from stage import ENVOY, GATEWAY, SetUp, Stage, accepts


def has_secret(stage: Stage) -> bool:
    """Whether Envoy's injector has got what the filter gave."""
    if not (accepts(stage.ports[ENVOY]) and accepts(stage.ports[GATEWAY])):
        return False
    # 0 is for the empty one that it gets while there is none.
    version = re.search(r'^sds.openai.version_text: "(\d+)"$', envoy(stage, "/stats"), re.MULTILINE)
    return version is not None and (int(version.group(1)) > 0 or not stage.exchange_works)


def with_organization(text: str) -> str:
    """The connection sets a header beside `authorization`."""
    config = yaml.safe_load(text)
    [service] = [found for found in config["static_resources"]["listeners"] if found["name"] == "keyless"]
    manager = service["filter_chains"][0]["filters"][0]["typed_config"]
    plugin = manager["http_filters"][0]["typed_config"]["config"]
    plugin["configuration"]["value"]["connection"]["api"] = {"organization": "org-1"}
    return yaml.safe_dump(config)


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

    def test_a_credential_of_several_headers_is_given_too(self) -> None:
        """Envoy takes one secret at a time: the one that authenticates."""
        set_up = SetUp(None, self.SET_UP.files, COMMAND, ready=has_secret, changed=with_organization)
        with Stage(set_up) as stage:
            self.assertEqual(stage.client.models().status, 200)

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


if __name__ == "__main__":
    unittest.main()
