"""What every set-up promises. Each test module says which set-up, and what it does differently."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from client import Client
from programs import PATIENCE
from sandbox import digest, header
from stage import SetUp, Stage

OWN = "a-key-that-the-client-brought"


class Promises:
    """Beside `unittest.TestCase`."""

    SET_UP: SetUp
    # What a client is told while there is no credential.
    UNAVAILABLE = 503
    # How often a token that was taken back may be shown to the API before the next one.
    REFUSALS = 1

    @contextmanager
    def stage(self, exchange_works: bool = True) -> Iterator[Stage]:
        """The set-up; in the end it is seen to it that no credential has reached clients or logs."""
        with Stage(self.SET_UP, exchange_works) as stage:
            yield stage
            self.assertEqual(stage.leaks(), [])

    def settle(self, stage: Stage) -> None:
        """Until nobody sets the credential any more that was taken back."""
        self.assertEqual(stage.client.ask().status, 200)

    def test_an_answer_is_streamed(self) -> None:
        with self.stage() as stage:
            answer = stage.client.stream()
            self.assertEqual(answer.status, 200, answer.body)
            events = answer.events()
            self.assertEqual((events[0], events[-1]), ("response.created", "response.completed"))
            pauses = 0.02 * (len(events) - 1)
            took = answer.pieces[-1][0] - answer.pieces[0][0]
            self.assertGreater(took, pauses / 2, "the first event came long before the last one was sent")
            self.assertGreater(len(answer.pieces), len(events) / 2, "events came one by one")

    def test_a_long_request_passes(self) -> None:
        with self.stage() as stage:
            # Ten times what any of them keeps for a second attempt, and less than the sandbox takes.
            answer = stage.client.ask("word " * 130_000)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual([call["status"] for call in stage.sandbox.calls()], [200])

    def test_what_a_client_brings_is_replaced(self) -> None:
        with self.stage() as stage:
            before = stage.sandbox.exchanges()
            brought = ("authorization", "x-api-key", "api-key", "proxy-authorization", "x-keyless-rejected")
            for name in brought:
                value = {"x-keyless-rejected": "1", "authorization": f"Bearer {OWN}"}.get(name, OWN)
                answer = stage.client.models({name: value})
                self.assertEqual(answer.status, 200, answer.body)
            for call in stage.sandbox.calls():
                self.assertEqual([known for known, _ in call["headers"]].count("authorization"), 1)
                self.assertNotEqual(digest(call), hashlib.sha256(OWN.encode()).hexdigest())
                for name in ("x-api-key", "api-key", "proxy-authorization"):
                    self.assertIsNone(header(call, name), f"{name} goes no further")
            self.assertEqual(stage.sandbox.exchanges(), before, "no client can have a credential thrown away")

    def test_a_401_recovers(self) -> None:
        for ask in (Client.models, Client.ask_at_length, Client.stream):
            # Each with a first token: Keyless takes its time with one that is refused as soon as it is there.
            with self.subTest(ask=ask.__name__), self.stage() as stage:
                self.assertEqual(stage.client.models().status, 200)
                stage.sandbox.switch("/revoke")
                answer = ask(stage.client)
                self.assertEqual(answer.status, 200, answer.body)
                first, *refused, last = (call["status"] for call in stage.sandbox.calls())
                self.assertEqual((first, set(refused), last), (200, {401}, 200))
                self.assertLessEqual(len(refused), self.REFUSALS)

    def test_renewals_go_unnoticed(self) -> None:
        with self.stage() as stage:
            stage.sandbox.switch("/lifetime", seconds=5)
            stage.sandbox.switch("/revoke")
            self.settle(stage)
            before = len(stage.sandbox.calls())
            seen: set[str] = set()
            deadline = time.monotonic() + PATIENCE
            while len(seen) < 3:
                self.assertLess(time.monotonic(), deadline, "a renewal every two seconds or so")
                answer = stage.client.stream("hello")
                self.assertEqual(answer.status, 200, answer.body)
                self.assertEqual(answer.events()[-1], "response.completed")
                seen = {digest(call) for call in stage.sandbox.calls()[before:]}
            self.assertEqual({call["status"] for call in stage.sandbox.calls()[before:]}, {200})

    def test_nothing_is_forwarded_without_a_credential(self) -> None:
        with self.stage(exchange_works=False) as stage:
            answer = stage.client.models({"authorization": f"Bearer {OWN}"})
            self.assertEqual(answer.status, self.UNAVAILABLE, answer.body)
            self.assertEqual(stage.sandbox.calls(), [])
