"""A connection that makes its own keys: the replicas are one holder of them."""

import json
import unittest
from pathlib import Path

from cluster import decoded, shared
from pod import Pods, manifest
from programs import eventually

# The document of the sandbox changes keys every 30 s, and keeps the last one for 20 s.
ARGUMENTS = ("--lease-duration", "6")


class Minted(unittest.TestCase):
    def test_a_new_leader_keeps_the_key_and_in_time_deletes_it(self) -> None:
        with Pods(shared(), document="openai_service_account") as pods:
            leader = pods.start(*ARGUMENTS)
            leader.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            other = pods.start(*ARGUMENTS)
            other.until(lambda: "standing for election" in other.said(), "the second")
            first = decoded(pods.cluster.secret(pods.namespace))["api_key"]
            leader.kill()
            other.until(other.leads, "a new leader")
            other.until(lambda: "not due yet" in other.said(), "its look")
            self.assertEqual(len(pods.sandbox.accounts()), 1, "the key of the old leader is still good")
            other.until(
                lambda: decoded(pods.cluster.secret(pods.namespace))["api_key"] != first, "the next key", within=60
            )
            second = decoded(pods.cluster.secret(pods.namespace))["api_key"]
            self.assertTrue(pods.sandbox.opens(second))
            self.assertTrue(pods.sandbox.opens(first), "within the grace")
            # The new leader never made it, and knows it for its own by the name of the instance.
            other.until(lambda: not pods.sandbox.opens(first), "the end of the old key", within=60)
            self.assertIsNotNone(pods.sandbox.accounts()[0]["deleted_at_ms"], pods.sandbox.accounts())

    def test_four_that_start_at_once_make_one_key(self) -> None:
        with Pods(shared(), document="openai_service_account") as pods:
            four = [pods.start(*ARGUMENTS) for _ in range(4)]
            eventually(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            eventually(lambda: all("standing for election" in pod.said() for pod in four), "all of them")
            self.assertEqual(len(pods.sandbox.accounts()), 1)

    def test_the_admin_key_is_read_from_the_secret_that_the_manifest_names(self) -> None:
        with Pods(shared(), document="openai_service_account") as pods:
            exchange = json.loads((pods.directory / "connection.json").read_text())["exchange"]
            generator = {
                "apiVersion": "generators.external-secrets.io/v1alpha1",
                "kind": "OpenAI",
                "metadata": {"name": "openai", "annotations": {"keyless/refresh-interval": "30s"}},
                "spec": {
                    "projectId": exchange["project_id"],
                    "host": exchange["host"],
                    "openAiAdminKey": {"name": "openai-admin", "key": "api-key"},
                },
            }
            (pods.directory / "connection.json").write_text(json.dumps(generator))
            key = Path(exchange["admin_key"]["file"]).read_text()
            admin = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "openai-admin"}}
            pods.cluster.apply(pods.namespace, {**admin, "stringData": {"api-key": key}})
            refused = pods.start(*ARGUMENTS, "--kube-secrets")
            self.assertEqual(refused.ended(), 3, refused.said())
            self.assertIn("resourceNames: [openai-admin], verbs: [get]", refused.said())

            rules = next(object for object in manifest("rights.yaml") if object["kind"] == "Role")["rules"]
            rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["openai-admin"], "verbs": ["get"]}
            pods.allow([*rules, rule])
            pod = pods.start(*ARGUMENTS, "--kube-secrets")
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            self.assertTrue(pods.sandbox.opens(decoded(pods.cluster.secret(pods.namespace))["api_key"]))
            self.assertNotIn(key.strip(), pod.said())

    def test_no_key_is_made_that_cannot_be_kept(self) -> None:
        with Pods(shared(), rights=False, document="openai_service_account") as pods:
            self.assertEqual(pods.start(*ARGUMENTS).ended(), 3)
            self.assertEqual(pods.sandbox.accounts(), [])

    def test_at_the_end_the_key_is_deleted_only_if_that_is_asked_for(self) -> None:
        for arguments, deleted in ((ARGUMENTS, False), ((*ARGUMENTS, "--close-on-exit"), True)):
            with self.subTest(arguments=arguments), Pods(shared(), document="openai_service_account") as pods:
                pod = pods.start(*arguments)
                pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
                pod.end()
                self.assertEqual(pod.process.returncode, 0, pod.said())
                key = decoded(pods.cluster.secret(pods.namespace))["api_key"]
                self.assertEqual(pods.sandbox.opens(key), not deleted)


if __name__ == "__main__":
    unittest.main()
