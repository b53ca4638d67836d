"""The API server away for a while."""

import unittest

from cluster import decoded, shared
from pod import Pods
from programs import eventually

ARGUMENTS = ("--lease-duration", "6")


class Outage(unittest.TestCase):
    def tearDown(self) -> None:
        """Whatever a test did to it, the next one has an API server."""
        cluster = shared()
        cluster.thaw()
        if not cluster.is_ready(cluster.port):
            cluster.restart()

    def test_a_short_one_is_slept_through(self) -> None:
        with Pods(shared()) as pods:
            pod = pods.start("--lease-duration", "60")
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            renewed = pods.cluster.lease(pods.namespace)["renewTime"]
            pods.cluster.stop()
            pod.until(lambda: "kubernetes-unreachable" in pod.said(), "that it notices")
            pods.cluster.restart()
            pod.until(lambda: pods.cluster.lease(pods.namespace)["renewTime"] > renewed, "a renewal")
            # The watch goes on, too.
            pods.cluster.edit(pods.namespace, {"data": {"api_key": None}})
            pod.until(lambda: "api_key" in decoded(pods.cluster.secret(pods.namespace)), "the repair")
            self.assertNotIn("not leading any more", pod.said())
            self.assertEqual(pods.sandbox.exchanges(), 1)

    def test_in_a_long_one_nothing_is_made_and_the_secret_stays(self) -> None:
        with Pods(shared()) as pods:
            pod = pods.start(*ARGUMENTS)
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            before = pods.cluster.secret(pods.namespace)
            pods.cluster.stop()
            pod.until(lambda: "not leading any more" in pod.said(), "that it stops", within=10)
            # From here on its credential could be renewed by nobody: what comes due is not got.
            pods.sandbox.switch("/revoke")
            pods.cluster.restart()
            pod.until(lambda: pod.said().count(" leading ") >= 2, "that it leads again")
            pod.until(lambda: "not due yet" in pod.said(), "its look")
            self.assertEqual(pods.cluster.secret(pods.namespace)["data"], before["data"])
            self.assertEqual(pods.sandbox.exchanges(), 1)

    def test_what_is_due_in_an_outage_is_got_after_it(self) -> None:
        with Pods(shared(), lifetime=16) as pods:
            pod = pods.start(*ARGUMENTS)
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            key = decoded(pods.cluster.secret(pods.namespace))["api_key"]
            pods.cluster.freeze()
            pod.until(lambda: "not leading any more" in pod.said(), "that it stops", within=20)
            made = pods.sandbox.exchanges()
            eventually(lambda: not pods.sandbox.opens(key), "the end of the credential", within=40)
            self.assertEqual(pods.sandbox.exchanges(), made)
            pods.cluster.thaw()
            pod.until(lambda: pods.sandbox.exchanges() > made, "the next credential")
            pod.until(
                lambda: pods.sandbox.opens(decoded(pods.cluster.secret(pods.namespace))["api_key"]), "it in the Secret"
            )

    def test_what_happened_meanwhile_is_noticed_although_the_watch_is_too_old(self) -> None:
        """Changed by another API server on the same data: the first cannot tell what happened before it was there."""
        with Pods(shared()) as pods:
            pod = pods.start("--lease-duration", "60", "-vv")
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            whole = decoded(pods.cluster.secret(pods.namespace))
            port = pods.cluster.second()
            pods.cluster.stop()
            path = f"/api/v1/namespaces/{pods.namespace}/secrets"
            pods.cluster.call("DELETE", f"{path}/openai", port=port)
            for number in range(20):
                filler = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"filler-{number}"}}
                pods.cluster.call("POST", path, filler, port=port)
            pods.cluster.restart()
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret again", within=60)
            self.assertEqual(decoded(pods.cluster.secret(pods.namespace)), whole)
            self.assertIn("begun anew", pod.said())
            self.assertEqual(pods.sandbox.exchanges(), 1)


if __name__ == "__main__":
    unittest.main()
