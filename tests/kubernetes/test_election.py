"""One of several leads, and nobody else writes: judged by the API server's own audit log."""

import signal
import unittest
from datetime import datetime

from cluster import decoded, shared
from pod import Pod, Pods
from programs import eventually

LEASE = 6
ARGUMENTS = ("--lease-duration", str(LEASE))


class Election(unittest.TestCase):
    def test_a_leader_that_is_killed_is_followed_within_the_lease(self) -> None:
        with Pods(shared()) as pods:
            leader, other = self.pair(pods)
            leader.kill()
            took = eventually(other.leads, "a new leader")
            # Two looks may pass until the other one notices, and each is late by a fifth at most.
            self.assertLess(took, LEASE + 2 * LEASE * 2 / 15 * 1.2 + 1)
            other.until(lambda: "not due yet" in other.said(), "the look of the new leader")
            self.assertEqual(pods.sandbox.exchanges(), 1, "the credential of the old leader is still good")
            # And it is a leader: it repairs.
            pods.cluster.edit(pods.namespace, {"data": {"api_key": None}})
            other.until(lambda: "api_key" in decoded(pods.cluster.secret(pods.namespace)), "the repair")
            self.assertEqual(pods.sandbox.exchanges(), 2, "it has no copy of what the old leader had")
            self.assert_one_writer(pods)

    def test_a_leader_that_is_ended_gives_the_lease_back(self) -> None:
        with Pods(shared()) as pods:
            leader, other = self.pair(pods)
            leader.end()
            self.assertEqual(leader.process.returncode, 0)
            took = eventually(other.leads, "a new leader")
            self.assertLess(took, LEASE * 2 / 15 * 1.2 + 1.5)
            self.assertIsNotNone(pods.cluster.secret(pods.namespace), "the Secret is still in use")
            self.assert_one_writer(pods)

    def test_a_leader_that_stood_still_writes_nothing_more(self) -> None:
        with Pods(shared(), lifetime=16) as pods:
            leader, other = self.pair(pods)
            before = writes(pods)[-1][1]
            leader.signal(signal.SIGSTOP)
            other.until(other.leads, "a new leader")
            other.until(lambda: writes(pods)[-1][1] > before, "its first write")
            leader.signal(signal.SIGCONT)
            leader.until(lambda: "not leading any more" in leader.said(), "that it notices")
            written = len(writes(pods))
            other.until(lambda: len(writes(pods)) >= written + 2, "the renewals of the new one")
            self.assert_one_writer(pods)
            self.assertTrue(other.leads())

    def test_of_four_that_start_at_once_one_makes_a_credential(self) -> None:
        with Pods(shared()) as pods:
            four = [pods.start(*ARGUMENTS) for _ in range(4)]
            eventually(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            eventually(lambda: all("standing for election" in pod.said() for pod in four), "all of them")
            renewed = pods.cluster.lease(pods.namespace)["renewTime"]
            eventually(lambda: pods.cluster.lease(pods.namespace)["renewTime"] > renewed, "a renewal")
            self.assertEqual(sum(" leading " in pod.said() for pod in four), 1)
            self.assertEqual(pods.sandbox.exchanges(), 1)
            self.assertEqual(sum(pod.leads() for pod in four), 1)

    def test_the_lease_is_what_client_go_expects(self) -> None:
        with Pods(shared()) as pods:
            pod = pods.start(*ARGUMENTS)
            pod.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
            lease = pods.cluster.lease(pods.namespace)
            self.assertEqual(
                set(lease),
                {"holderIdentity", "leaseDurationSeconds", "acquireTime", "renewTime", "leaseTransitions"},
            )
            self.assertEqual((lease["leaseDurationSeconds"], lease["leaseTransitions"]), (LEASE, 1))
            # What client-go writes for a lease that was given back.
            pod.end()
            given_back = pods.cluster.lease(pods.namespace)
            self.assertEqual((given_back["holderIdentity"], given_back["leaseDurationSeconds"]), ("", 1))

    def test_a_holder_of_another_kind_is_respected_until_it_is_silent(self) -> None:
        """As client-go would hold it; its clock is a year behind, which does not matter."""
        with Pods(shared()) as pods:
            path = f"/apis/coordination.k8s.io/v1/namespaces/{pods.namespace}/leases/openai"
            lease = pods.cluster.call("GET", path)
            past = "2020-01-01T00:00:00.000000Z"
            lease["spec"] = {
                "holderIdentity": "other",
                "leaseDurationSeconds": 8,
                "renewTime": past,
                "leaseTransitions": 4,
            }
            pods.cluster.call("PUT", path, lease)
            pod = pods.start(*ARGUMENTS)
            pod.until(lambda: "standing for election" in pod.said(), "the start")
            took = eventually(pod.leads, "the lead")
            self.assertGreater(took, 6)
            self.assertEqual(pods.cluster.lease(pods.namespace)["leaseTransitions"], 5)

    def pair(self, pods: Pods) -> tuple[Pod, Pod]:
        """One that leads and has written, one that waits."""
        leader = pods.start(*ARGUMENTS)
        leader.until(lambda: pods.cluster.secret(pods.namespace) is not None, "the Secret")
        other = pods.start(*ARGUMENTS)
        other.until(lambda: "standing for election" in other.said(), "the second")
        return leader, other

    def assert_one_writer(self, pods: Pods) -> None:
        """Terms never go back, and nobody wrote after another one had taken the Lease."""
        written = writes(pods)
        self.assertTrue(written)
        terms = [term for _, term, _ in written]
        self.assertEqual(terms, sorted(terms))
        taken = takings(pods)
        for moment, term, _ in written:
            later = [at for at, its in taken.items() if its > term]
            self.assertTrue(all(moment < at for at in later), (written, taken))


def writes(pods: Pods) -> list[tuple[datetime, int, str]]:
    """When the Secret was written, in which term, by the audit log; rehearsals are none."""
    found = []
    for event in pods.cluster.audit(pods.namespace, "secrets"):
        ours = event["user"]["username"].endswith(":keyless-sync") and event["verb"] == "patch"
        if ours and event["responseStatus"]["code"] in (200, 201) and "dryRun" not in event["requestURI"]:
            term = event["requestObject"]["metadata"]["annotations"]["keyless/term"]
            found.append((moment(event), int(term.rpartition("/")[2]), event["auditID"]))
    return found


def takings(pods: Pods) -> dict[datetime, int]:
    """When which term began."""
    found: dict[datetime, int] = {}
    for event in pods.cluster.audit(pods.namespace, "leases"):
        if event["verb"] == "update" and event["responseStatus"]["code"] == 200:
            spec = event["responseObject"]["spec"]
            if spec["holderIdentity"] and spec["leaseTransitions"] not in found.values():
                found[moment(event)] = spec["leaseTransitions"]
    return found


def moment(event: dict) -> datetime:
    return datetime.fromisoformat(event["stageTimestamp"].replace("Z", "+00:00"))


if __name__ == "__main__":
    unittest.main()
