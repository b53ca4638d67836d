"""Envoy with the filter: the engine inside, in a cluster and in a listener."""

import json
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from client import Client
from filter_config import with_another_cluster, with_file_server, with_secret, write_secret
from filter_stage import (
    CLIENTS,
    COMMAND,
    IN_CLUSTER,
    IN_LISTENER,
    WORKERS,
    delay_exchange,
    envoy,
    has_credential,
    metric,
    stat,
    subject_token,
    together,
    until,
    until_200,
    until_all_work,
)
from promises import Promises
from sandbox import header
from stage import FILTER, GATEWAY, SetUp, Stage, digests_in
from trap import FATAL, with_traps


class Filtered(Promises):
    """Beside `unittest.TestCase`."""

    def settle(self, stage: Stage) -> None:
        """Every worker has to hear of it."""
        until_all_work(stage)

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
            until_all_work(stage)
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
                until(stage, lambda: stage.client.models() and stage.sandbox.exchanges() > before)
                shown.append(subject_token(stage))
            self.assertEqual(len(set(shown)), 3)

    def test_workers_that_break_are_replaced_and_nothing_is_exchanged_anew(self) -> None:
        with Stage(self.trapping()) as stage:
            self.assertEqual(stage.client.models().status, 200)
            broken = together(stage, 4 * WORKERS, Client.ask)
            self.assertEqual({answer.status for answer in broken}, {503})
            until_all_work(stage)
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
            until_all_work(stage)
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


class InCluster(Filtered, unittest.TestCase):
    SET_UP = SetUp(None, IN_CLUSTER, COMMAND, ready=has_credential)

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
            until(stage, lambda: metric(stage, "failures") > 0)
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
    SET_UP = SetUp(None, IN_LISTENER, COMMAND, ready=has_credential)

    def test_a_401_recovers(self) -> None:
        """The filter is not asked again for a retry: who got the 401 asks again."""
        with self.stage() as stage:
            self.assertEqual(stage.client.models().status, 200)
            stage.sandbox.switch("/revoke")
            self.assertEqual(stage.client.models().status, 401)
            # Another worker may not have heard of it yet.
            until_all_work(stage)
            statuses = [answer.status for answer in stage.client.answers]
            self.assertLessEqual(statuses.count(401), WORKERS * CLIENTS)
            self.assertEqual(stage.sandbox.exchanges(), 2)


if __name__ == "__main__":
    unittest.main()
