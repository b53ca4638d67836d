"""The Secret: written, renewed, repaired; and what keyless does not do to it."""

import unittest
from datetime import UTC, datetime

from cluster import decoded, shared
from pod import Pods
from programs import eventually


def annotations(secret: dict) -> dict[str, str]:
    return secret["metadata"].get("annotations", {})


class Writing(unittest.TestCase):
    def test_the_first_write_is_all_ours_and_no_more(self) -> None:
        with Pods(shared()) as pods:
            pods.start("--key", "api_key", "--key", "url=base_url", "--key", "end=expires_at", "--label", "team=search")
            eventually(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            secret = pods.cluster.secret(pods.namespace)
            data = decoded(secret)
            self.assertEqual(set(data), {"api_key", "url", "end"})
            self.assertTrue(pods.sandbox.opens(data["api_key"]))
            self.assertEqual(data["url"], pods.sandbox.told["base_url"])
            self.assertEqual(secret["type"], "Opaque")
            labels = secret["metadata"]["labels"]
            self.assertEqual(labels, {"app.kubernetes.io/managed-by": "keyless", "team": "search"})
            noted = annotations(secret)
            self.assertEqual(noted["keyless/generation"], "1")
            self.assertIn("connection.json", noted["keyless/connection"])
            ends = datetime.fromisoformat(noted["keyless/expires-at"].replace("Z", "+00:00"))
            left = (ends - datetime.now(UTC)).total_seconds()
            self.assertTrue(3000 < left <= 3600, noted)
            self.assertEqual(noted["keyless/expires-at"][:16], data["end"][:16])
            [entry] = secret["metadata"]["managedFields"]
            self.assertEqual((entry["manager"], entry["operation"]), ("keyless", "Apply"))
            # The secret is in `data` and nowhere else.
            del secret["data"]
            for place in (str(secret), pods.logs(), str(pods.cluster.lease(pods.namespace))):
                self.assertNotIn(data["api_key"], place)

    def test_only_what_is_needed_is_asked_for(self) -> None:
        with Pods(shared()) as pods:
            pods.start()
            eventually(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            account = f"system:serviceaccount:{pods.namespace}:keyless-sync"
            asked = [
                event
                for resource in ("secrets", "leases")
                for event in pods.cluster.audit(pods.namespace, resource)
                if event["user"]["username"] == account
            ]
            verbs = {(event["objectRef"]["resource"], event["verb"]) for event in asked}
            self.assertLessEqual(
                verbs,
                {
                    ("secrets", "get"),
                    ("secrets", "watch"),
                    ("secrets", "patch"),
                    ("leases", "get"),
                    ("leases", "update"),
                },
            )
            self.assertEqual([event for event in asked if event["responseStatus"]["code"] in (401, 403)], [])

    def test_a_renewed_credential_is_written_before_the_old_one_ends(self) -> None:
        with Pods(shared(), lifetime=16) as pods:
            pod = pods.start()
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            before = pods.cluster.secret(pods.namespace)
            pod.until(
                lambda: annotations(pods.cluster.secret(pods.namespace))["keyless/generation"] == "2", "the renewal"
            )
            after = pods.cluster.secret(pods.namespace)
            self.assertNotEqual(decoded(before), decoded(after))
            self.assertTrue(pods.sandbox.opens(decoded(after)["api_key"]))
            self.assertTrue(pods.sandbox.opens(decoded(before)["api_key"]), "who still has the old one is cut off")

    def test_a_changed_document_is_followed_at_once(self) -> None:
        with Pods(shared()) as pods:
            first = pods.start()
            first.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            first.end()
            # The same document again: the credential is not due, so none is made.
            second = pods.start()
            second.until(lambda: "not due yet" in second.said(), "the second start")
            self.assertEqual(pods.sandbox.exchanges(), 1)
            second.end()
            third = pods.start("--key", "OPENAI_API_KEY")
            third.until(lambda: "OPENAI_API_KEY" in decoded(pods.cluster.secret(pods.namespace)), "the new key")
            self.assertEqual(set(decoded(pods.cluster.secret(pods.namespace))), {"OPENAI_API_KEY"})


class Ending(unittest.TestCase):
    def test_the_secret_stays_and_the_connection_is_closed_only_if_that_is_asked_for(self) -> None:
        for arguments, closed in (((), False), (("--close-on-exit",), True)):
            with self.subTest(arguments=arguments), Pods(shared()) as pods:
                pod = pods.start(*arguments)
                pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
                pod.end()
                self.assertEqual(pod.process.returncode, 0, pod.said())
                self.assertEqual("the connection is closed" in pod.said(), closed)
                self.assertIn("the lease is given back", pod.said())
                self.assertTrue(pods.sandbox.opens(decoded(pods.cluster.secret(pods.namespace))["api_key"]))


class Repair(unittest.TestCase):
    def test_what_is_taken_away_is_put_back(self) -> None:
        with Pods(shared()) as pods:
            pod = pods.start("--label", "team=search")
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            whole = pods.cluster.secret(pods.namespace)
            for change in (
                {"data": {"api_key": None}},
                {"metadata": {"labels": {"team": None}}},
                {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}},
                {"metadata": {"annotations": {"keyless/expires-at": None}}},
            ):
                with self.subTest(change=change):
                    pods.cluster.edit(pods.namespace, change)
                    pod.until(lambda: self.alike(pods.cluster.secret(pods.namespace), whole), "the repair", within=10)
            path = f"/api/v1/namespaces/{pods.namespace}/secrets/openai"
            pods.cluster.call("DELETE", path)
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret again", within=10)
            again = pods.cluster.secret(pods.namespace)
            self.assertNotEqual(again["metadata"]["uid"], whole["metadata"]["uid"])
            self.assertTrue(self.alike(again, whole))
            self.assertEqual(pods.sandbox.exchanges(), 1, "a repair takes no new credential")

    def test_what_others_add_stays(self) -> None:
        with Pods(shared()) as pods:
            pod = pods.start()
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            pods.cluster.edit(pods.namespace, {"data": {"other": "eA=="}, "metadata": {"labels": {"mine": "yes"}}})
            pods.cluster.edit(pods.namespace, {"data": {"api_key": None}})
            pod.until(lambda: "api_key" in decoded(pods.cluster.secret(pods.namespace)), "the repair", within=10)
            secret = pods.cluster.secret(pods.namespace)
            self.assertEqual(decoded(secret)["other"], "x")
            self.assertEqual(secret["metadata"]["labels"]["mine"], "yes")

    def test_a_value_that_another_sets_is_a_conflict(self) -> None:
        with Pods(shared()) as pods:
            pod = pods.start()
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            pods.cluster.edit(pods.namespace, {"data": {"api_key": "eA=="}})
            self.assertEqual(pod.ended(), 1)
            self.assertIn("secret-conflict", pod.said())
            self.assertIn('conflict with "kubectl-edit"', pod.said())
            self.assertIn(".data.api_key", pod.said())
            self.assertEqual(decoded(pods.cluster.secret(pods.namespace)), {"api_key": "x"})

    def test_by_force_it_is_set_again(self) -> None:
        with Pods(shared()) as pods:
            pod = pods.start("--force")
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            key = decoded(pods.cluster.secret(pods.namespace))["api_key"]
            pods.cluster.edit(pods.namespace, {"data": {"api_key": "eA=="}})
            pod.until(lambda: decoded(pods.cluster.secret(pods.namespace))["api_key"] == key, "the repair", within=10)
            self.assertEqual(pods.sandbox.exchanges(), 1)

    def test_a_changed_value_is_seen_by_the_next_start(self) -> None:
        """Nobody watched, and the annotations are as they were: the API server's book-keeping tells."""
        with Pods(shared()) as pods:
            first = pods.start()
            first.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            first.end()
            pods.cluster.edit(pods.namespace, {"data": {"api_key": "eA=="}})
            second = pods.start("--force")
            second.until(lambda: decoded(pods.cluster.secret(pods.namespace))["api_key"] != "x", "the repair")
            self.assertTrue(pods.sandbox.opens(decoded(pods.cluster.secret(pods.namespace))["api_key"]))

    def alike(self, secret: dict | None, whole: dict) -> bool:
        def ours(secret: dict) -> tuple:
            return (secret.get("data"), secret["metadata"].get("labels"), secret["metadata"].get("annotations"))

        return secret is not None and ours(secret) == ours(whole)


class NotOurs(unittest.TestCase):
    """A Secret that is not to be written: nothing is asked of the token endpoint for it."""

    def refused(self, secret: dict, code: str, *arguments: str) -> str:
        with Pods(shared()) as pods:
            whole = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "openai"}, **secret}
            pods.cluster.call("POST", f"/api/v1/namespaces/{pods.namespace}/secrets?fieldManager=helm", whole)
            before = pods.cluster.secret(pods.namespace)
            pod = pods.start(*arguments)
            self.assertEqual(pod.ended(), 1)
            self.assertIn(f"({code})", pod.said())
            self.assertEqual(pods.cluster.secret(pods.namespace), before)
            self.assertEqual(pods.sandbox.exchanges(), 0)
            return pod.said()

    def test_a_foreign_secret(self) -> None:
        self.assertIn("--adopt", self.refused({"data": {"api_key": "eA=="}}, "secret-foreign"))

    def test_a_foreign_secret_whose_fields_are_held(self) -> None:
        said = self.refused({"data": {"api_key": "eA=="}}, "secret-conflict", "--adopt")
        self.assertIn('conflict with "helm"', said)

    def test_an_immutable_secret(self) -> None:
        self.refused({"data": {"api_key": "eA=="}, "immutable": True}, "secret-immutable", "--adopt", "--force")

    def test_a_secret_of_another_type(self) -> None:
        data = {"username": "eA==", "password": "eA=="}
        self.refused({"type": "kubernetes.io/basic-auth", "data": data}, "secret-type", "--adopt", "--force")

    def test_it_can_be_adopted(self) -> None:
        with Pods(shared()) as pods:
            whole = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "openai"}}
            whole["data"] = {"api_key": "eA==", "other": "eQ=="}
            pods.cluster.call("POST", f"/api/v1/namespaces/{pods.namespace}/secrets?fieldManager=helm", whole)
            pod = pods.start("--adopt", "--force")
            pod.until(lambda: decoded(pods.cluster.secret(pods.namespace))["api_key"] != "x", "the credential")
            data = decoded(pods.cluster.secret(pods.namespace))
            self.assertTrue(pods.sandbox.opens(data["api_key"]))
            self.assertEqual(data["other"], "y")


if __name__ == "__main__":
    unittest.main()
