"""One exchange for everybody; renewals, refusals, outages; and what becomes of the thread."""

import asyncio
import gc
import socket
import threading
import unittest
import weakref
from unittest import mock

import keyless
from keyless import clock
from keyless.errands import Ended, Errands
from keyless.machine import Broken, Instance
from keyless.trust import Trust
from sandbox import Sandbox
from waiting import LIMIT, until


class Flight(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = self.enterContext(Sandbox())
        self.connection = self.enterContext(self.sandbox.open())

    def test_nothing_is_asked_before_somebody_asks(self) -> None:
        self.assertEqual(self.connection.status().phase, "idle")
        self.assertEqual(self.sandbox.exchanges(), 0)
        self.assertIsNone(self.connection.current())

    def test_64_threads_are_one_exchange(self) -> None:
        self.sandbox.fault("delay", times=1, ms=300)
        start, tokens = threading.Barrier(64), []

        def read() -> None:
            start.wait()
            tokens.append(self.connection.token())

        threads = [threading.Thread(target=read) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        self.assertEqual((len(tokens), len(set(tokens)), self.sandbox.exchanges()), (64, 1, 1))

    def test_64_tasks_are_one_exchange(self) -> None:
        self.sandbox.fault("delay", times=1, ms=300)

        async def read() -> list[str]:
            return await asyncio.gather(*(self.connection.token_async() for _ in range(64)))

        tokens = asyncio.run(read())
        self.assertEqual((len(tokens), len(set(tokens)), self.sandbox.exchanges()), (64, 1, 1))

    def test_the_loop_is_never_blocked(self) -> None:
        self.sandbox.fault("stall")

        async def wait() -> int:
            ticks, reading = 0, asyncio.create_task(self.connection.token_async(within=1.0))
            while not reading.done():
                ticks += 1
                await asyncio.sleep(0)
            with self.assertRaises(keyless.UnavailableError) as late:
                await reading
            self.assertEqual(late.exception.code, "connection-deadline")
            return ticks

        # A loop that were blocked until the end would turn a handful of times.
        self.assertGreater(asyncio.run(wait()), 100)

    def test_a_cached_read_has_no_thread_hop(self) -> None:
        token = self.connection.token()

        async def read() -> str:
            loop = asyncio.get_running_loop()
            with (
                mock.patch.object(loop, "run_in_executor", side_effect=AssertionError("a thread hop")),
                mock.patch.object(loop, "call_soon_threadsafe", side_effect=AssertionError("a thread hop")),
            ):
                reading = self.connection.token_async()
                try:
                    # It is done at its first step: it waits for nothing.
                    reading.send(None)
                except StopIteration as done:
                    return str(done.value)
                raise AssertionError("it waited")

        self.assertEqual(asyncio.run(read()), token)

    def test_a_task_that_gives_up_disturbs_nobody(self) -> None:
        self.sandbox.fault("delay", times=1, ms=300)

        async def read() -> str:
            impatient = asyncio.create_task(self.connection.token_async())
            patient = asyncio.create_task(self.connection.token_async())
            await asyncio.sleep(0)
            impatient.cancel()
            return await patient

        self.assertTrue(asyncio.run(read()))
        self.assertEqual(self.sandbox.exchanges(), 1)

    def test_it_is_renewed_ahead_of_its_end(self) -> None:
        self.sandbox.switch("/lifetime", seconds=6)
        seen = [self.connection.credential().generation]
        until(self.connection, lambda: self.connection.status().generation >= 3)
        seen.append(self.connection.credential(within=0).generation)
        self.assertEqual(seen[0], 1)
        self.assertGreaterEqual(seen[1], 3)
        self.assertEqual(self.connection.status().failures, 0)

    def test_a_refused_one_is_replaced_once(self) -> None:
        first = self.connection.credential()
        self.connection.reject(first.generation)
        self.connection.reject(first.generation)
        second = self.connection.credential()
        self.assertEqual((second.generation, self.sandbox.exchanges()), (2, 2))
        self.assertNotEqual(second.token, first.token)
        # Too soon after the last: it is in use again.
        self.connection.reject(2)
        self.assertEqual((self.connection.credential().generation, self.sandbox.exchanges()), (2, 2))
        self.connection.reject(7)
        self.assertEqual(self.connection.credential(within=0).generation, 2)

    def test_an_outage_hides_no_valid_credential(self) -> None:
        self.sandbox.switch("/lifetime", seconds=30)
        token = self.connection.token()
        self.sandbox.fault("status", status=503)
        until(self.connection, lambda: self.connection.status().failures >= 1)
        self.assertEqual(self.connection.token(within=0), token)
        self.assertEqual(self.connection.status().phase, "waiting")
        self.sandbox.mend()
        until(self.connection, lambda: self.connection.status().renewals >= 2)
        self.assertNotEqual(self.connection.token(within=0), token)

    def test_one_that_has_ended_is_never_given(self) -> None:
        self.sandbox.switch("/lifetime", seconds=3)
        self.connection.token()
        self.sandbox.fault("status", status=503)
        until(self.connection, lambda: self.connection.current() is None)
        with self.assertRaises(keyless.UnavailableError) as ended:
            self.connection.token(within=0.1)
        self.assertEqual(ended.exception.code, "endpoint-failed")
        with self.assertRaises(keyless.UnavailableError):
            self.connection.attempt()
        self.sandbox.mend()
        # Who waits is not told of the outage: it has passed.
        self.assertTrue(self.connection.token())

    def test_either_clock_ends_it(self) -> None:
        self.connection.token()
        for name, now in (("_wall", clock.wall()), ("_monotonic", clock.monotonic())):
            # As after a suspend, and as with a wall clock that was set.
            with (
                mock.patch(f"keyless.connection.{name}", return_value=now + 7200),
                mock.patch(f"keyless.clock.{name[1:]}", return_value=now + 7200),
            ):
                self.assertIsNone(self.connection.current())

    def test_a_name_that_is_looked_up_for_ever_is_given_up(self) -> None:
        over = threading.Event()
        self.addCleanup(over.set)

        def look_up(*_: object, **__: object) -> list[object]:
            over.wait()
            raise socket.gaierror

        with mock.patch("socket.getaddrinfo", look_up), self.assertRaises(keyless.UnavailableError) as late:
            self.connection.attempt(within=LIMIT)
        self.assertEqual(late.exception.code, "endpoint-timeout")

    def test_closed_is_closed(self) -> None:
        self.connection.token()
        self.connection.close()
        for read in (self.connection.token, self.connection.headers, self.connection.attempt):
            with self.assertRaises(keyless.UnavailableError) as closed:
                read()
            self.assertEqual(closed.exception.code, "connection-closed")
        self.assertIsNone(self.connection.current())
        self.assertEqual(self.connection.status().phase, "closed")

    def test_closing_ends_the_waiting_of_others(self) -> None:
        self.sandbox.fault("stall")
        failed: list[str] = []

        def read() -> None:
            try:
                self.connection.token()
            except keyless.Error as error:
                failed.append(error.code)

        reader = threading.Thread(target=read)
        reader.start()
        self.sandbox.asked()
        self.connection.close()
        reader.join(LIMIT)
        self.assertEqual(failed, ["connection-closed"])

    def test_one_that_nobody_holds_ends_its_thread(self) -> None:
        connection = self.sandbox.open()
        connection.token()
        thread, gone = connection._flight._thread, weakref.ref(connection)
        assert thread is not None
        del connection
        gc.collect()
        self.assertIsNone(gone())
        thread.join(LIMIT)
        self.assertFalse(thread.is_alive())

    def test_a_broken_instance_is_replaced(self) -> None:
        first = self.connection.credential()
        broken = keyless.UnavailableError("component-trapped", "trapped", 1.0)
        with mock.patch.object(Instance, "step", side_effect=Broken(broken)):
            self.connection._flight.wake()
            until(self.connection, lambda: self.connection.status().failures == 1)
            # What an earlier instance gave is still good, until it is refused.
            self.assertEqual(self.connection.credential(within=0), first)
            self.connection.reject(1)
        until(self.connection, lambda: self.connection.status().generation == 2)
        self.assertEqual(self.connection.credential(within=0).generation, 2)

    def test_a_late_answer_of_a_broken_instance_is_nobodys(self) -> None:
        reported: list[Ended] = []
        old, new = (Errands(keyless.Grant(), Trust(None, None), None, reported.append) for _ in range(2))
        for errands in (old, new):
            errands.begin({"ask-source": {"id": 1, "audience": None}})
        # Both sessions have asked for their effect 1.
        late, own = reported
        self.assertFalse(new.awaited(late))
        self.assertTrue(new.awaited(own))
        # Once: the answer has been given.
        self.assertFalse(new.awaited(own))
