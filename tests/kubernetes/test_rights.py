"""What it may do: exactly what docs/kubernetes says, and every error names the rule that is missing."""

import re
import unittest

import yaml

from cluster import decoded, shared
from pod import Pods, manifest
from programs import eventually


class Rights(unittest.TestCase):
    def test_its_errors_teach_the_role_of_the_docs(self) -> None:
        """From no rule at all, adding what each error asks for, until it works."""
        with Pods(shared(), rights=False) as pods:
            rules: list[dict] = []
            for _ in range(9):
                pods.allow(rules)
                pod = pods.start()
                eventually(
                    lambda: pod.process.poll() is not None or pods.cluster.secret(pods.namespace) is not None,
                    "an error, or the Secret",
                )
                if pod.process.poll() is None:
                    break
                self.assertEqual(pod.process.returncode, 3, pod.said())
                self.assertIn("(kubernetes-forbidden)", pod.said())
                found = re.findall(r"add this rule .*?: (\{.*\})", pod.said())
                self.assertEqual(len(found), 1, pod.said())
                [rule] = found
                rules.append(yaml.safe_load(rule))
            self.assertTrue(pods.sandbox.opens(decoded(pods.cluster.secret(pods.namespace))["api_key"]))
            [role] = [object for object in manifest("rights.yaml") if object["kind"] == "Role"]
            self.assertEqual(granted(rules), granted(role["rules"]))
            self.assertEqual(pods.sandbox.exchanges(), 1, "nothing is made before it can be kept")

    def test_without_the_lease_it_says_what_to_apply(self) -> None:
        with Pods(shared()) as pods:
            pods.cluster.call("DELETE", f"/apis/coordination.k8s.io/v1/namespaces/{pods.namespace}/leases/openai")
            pod = pods.start()
            self.assertEqual(pod.ended(), 3)
            self.assertIn("(lease-missing)", pod.said())
            self.assertEqual(pods.sandbox.exchanges(), 0)

    def test_who_may_create_leases_needs_none(self) -> None:
        with Pods(shared()) as pods:
            pods.cluster.call("DELETE", f"/apis/coordination.k8s.io/v1/namespaces/{pods.namespace}/leases/openai")
            [role] = [object for object in manifest("rights.yaml") if object["kind"] == "Role"]
            create = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]}
            pods.allow([*role["rules"], create])
            pod = pods.start()
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            self.assertTrue(pod.leads())

    def test_a_right_that_is_taken_away_later_is_named_too(self) -> None:
        with Pods(shared()) as pods:
            pod = pods.start()
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            [role] = [object for object in manifest("rights.yaml") if object["kind"] == "Role"]
            pods.allow([{**role["rules"][0], "verbs": ["get", "watch"]}, role["rules"][1]])
            pods.cluster.edit(pods.namespace, {"data": {"api_key": None}})
            self.assertEqual(pod.ended(), 3)
            self.assertIn("resourceNames: [openai], verbs: [patch]}", pod.said())


class Tokens(unittest.TestCase):
    def test_a_token_that_was_renewed_in_its_file_is_taken_up(self) -> None:
        """The old one ends while the leader works: the API server says 401, and keyless reads the file again."""
        with Pods(shared()) as pods:
            pod = pods.start("--lease-duration", "6", token_seconds=12)
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            pod.renew_token(3600)

            def refused() -> bool:
                leases = pods.cluster.audit(pods.namespace, "leases")
                return any(event["responseStatus"]["code"] == 401 for event in leases) or "unauthorized" in pod.said()

            pod.until(refused, "the end of the old token")
            renewed = pods.cluster.lease(pods.namespace)["renewTime"]
            pod.until(lambda: pods.cluster.lease(pods.namespace)["renewTime"] > renewed, "a renewal", within=10)
            pods.cluster.edit(pods.namespace, {"data": {"api_key": None}})
            pod.until(lambda: "api_key" in decoded(pods.cluster.secret(pods.namespace)), "the repair", within=15)
            self.assertNotIn("not leading any more", pod.said())


def granted(rules: list[dict]) -> set[tuple[str, ...]]:
    return {
        (group, resource, name, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule["resourceNames"]
        for verb in rule["verbs"]
    }


if __name__ == "__main__":
    unittest.main()
