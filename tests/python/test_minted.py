"""Keys that a connection makes itself: they open the API, follow each other, and go with it."""

import asyncio
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

from openai import DefaultHttpx2Client, OpenAI

import keyless
from keyless.machine import Broken, Instance
from sandbox import Sandbox
from waiting import LIMIT, eventually, until

BEGINNING = """
    import os, sys
    import keyless

    connection = keyless.open(sys.argv[1], ca_file=sys.argv[2], variables={})
"""

FORK = """
    first = connection.credential()
    child = os.fork()
    if child == 0:
        assert connection.credential(within=0) == first
        # Another account, which is the child's own.
        connection.reject(1)
        assert connection.credential().generation == 2
        connection.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    quiet = os.fork()
    if quiet == 0:
        connection.close()
        os._exit(0)
    assert os.waitpid(quiet, 0)[1] == 0
    print(connection.current() == first)
"""

FORK_OF_AN_INSTANCE = """
    first = connection.credential()
    child = os.fork()
    if child == 0:
        assert connection.credential(within=0) == first
        # There is none to follow it.
        connection.reject(1)
        assert connection.credential() == first
        print(connection.status().last_error.code, flush=True)
        connection.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print(connection.current() == first)
"""


class Minted(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = self.enterContext(Sandbox())

    def code_of_close(self, connection: keyless.Connection) -> str:
        with self.assertRaises(keyless.UnavailableError) as left:
            connection.close()
        return left.exception.code

    def run_program(self, program: str, **settings: str) -> list[str]:
        command = [sys.executable, "-W", "error::ResourceWarning", "-W", "ignore::DeprecationWarning", "-c"]
        text = textwrap.dedent(BEGINNING) + textwrap.dedent(program)
        document = json.dumps(self.sandbox.minting(**settings))
        result = subprocess.run([*command, text, document, self.sandbox.ca], capture_output=True, text=True, timeout=60)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout.splitlines()

    def test_it_opens_the_api_is_followed_by_another_and_goes_after_its_grace(self) -> None:
        with self.sandbox.open(self.sandbox.minting(refresh_interval="10s", grace="3s")) as connection:
            door = DefaultHttpx2Client(verify=ssl.create_default_context(cafile=self.sandbox.ca))
            with OpenAI(
                api_key=connection.token, base_url=connection.base_url, http_client=door, max_retries=0
            ) as client:

                def gone() -> bool:
                    self.assertTrue(list(client.models.list()))
                    return self.sandbox.accounts()[0]["deleted_at_ms"] is not None

                eventually(gone)
            first, second = self.sandbox.accounts()
            # Told by two clocks, each in milliseconds.
            self.assertGreaterEqual(first["deleted_at_ms"] - second["created_at_ms"], 2950)
            self.assertIsNone(second["deleted_at_ms"])
        self.assertEqual(self.sandbox.alive(), [])
        for account in self.sandbox.accounts():
            self.assertGreater(account["uses"], 0)
            self.assertEqual(account["uses_after_deletion"], 0)

    def test_closing_deletes_what_the_connection_made_and_nothing_else(self) -> None:
        one, other = (self.sandbox.open(self.sandbox.minting()) for _ in range(2))
        one.token()
        other.token()
        first, second = self.sandbox.alive()
        one.close()
        self.assertEqual(self.sandbox.alive(), [second])
        one.close()
        other.close()
        self.assertEqual(self.sandbox.alive(), [])

    def test_closing_on_a_loop_never_blocks_it(self) -> None:
        self.sandbox.admin_fault("delete_service_account", "delay", ms=500)

        async def use() -> int:
            ticks = 0
            async with await keyless.open_async(
                self.sandbox.minting(), ca_file=self.sandbox.ca, variables={}
            ) as connection:
                await connection.token_async()
                closing = asyncio.create_task(connection.aclose())
                while not closing.done():
                    ticks += 1
                    await asyncio.sleep(0)
                self.assertEqual(self.sandbox.alive(), [])
            return ticks

        # A loop that were blocked until the end would turn a handful of times.
        self.assertGreater(asyncio.run(use()), 100)

    def test_who_waits_for_the_end_may_leave_and_the_deleting_goes_on(self) -> None:
        self.sandbox.admin_fault("delete_service_account", "delay", ms=500)
        connection = self.sandbox.open(self.sandbox.minting())
        connection.token()

        async def leave() -> None:
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(connection.aclose(), 0.05)

        asyncio.run(leave())
        connection.close()
        self.assertEqual(self.sandbox.alive(), [])

    def test_others_are_told_at_once(self) -> None:
        connection = self.sandbox.open(self.sandbox.minting())
        connection.token()
        self.sandbox.admin_fault("delete_service_account", "delay", ms=1000)
        closing = threading.Thread(target=connection.close)
        closing.start()
        eventually(lambda: connection.status().phase == "closed")
        self.assertIsNone(connection.current())
        with self.assertRaises(keyless.UnavailableError) as closed:
            connection.token()
        self.assertEqual(closed.exception.code, "connection-closed")
        self.assertTrue(closing.is_alive())
        closing.join(LIMIT)
        self.assertEqual(self.sandbox.alive(), [])

    def test_one_that_is_let_go_deletes_nothing(self) -> None:
        connection = self.sandbox.open(self.sandbox.minting())
        connection.token()
        thread = connection._flight._thread
        assert thread is not None
        del connection
        thread.join(LIMIT)
        self.assertEqual(len(self.sandbox.alive()), 1)
        self.assertEqual(self.run_program("print(len(connection.token()) > 20)"), ["True"])
        self.assertEqual(len(self.sandbox.alive()), 2)

    def test_what_is_left_is_told_each_time(self) -> None:
        connection = self.sandbox.open(self.sandbox.minting())
        connection.token()
        self.sandbox.admin_fault("delete_service_account", "status", status=500)
        self.assertEqual(self.code_of_close(connection), "accounts-left")
        self.assertEqual(self.code_of_close(connection), "accounts-left")
        self.assertEqual(len(self.sandbox.alive()), 1)

    def test_what_a_block_raised_comes_before_what_is_left(self) -> None:
        self.sandbox.admin_fault("delete_service_account", "status", status=500)
        with self.assertRaises(keyless.UnavailableError) as left, self.sandbox.open(self.sandbox.minting()) as connection:
            connection.token()
        self.assertEqual(left.exception.code, "accounts-left")
        with self.assertLogs("keyless", "WARNING") as logged, self.assertRaises(KeyError):
            with self.sandbox.open(self.sandbox.minting()) as connection:
                connection.token()
                raise KeyError("of the block")
        self.assertIn("accounts-left", logged.output[0])

        async def on_a_loop() -> None:
            async with self.sandbox.open(self.sandbox.minting()) as connection:
                await connection.token_async()
                raise asyncio.CancelledError

        with self.assertLogs("keyless", "WARNING"), self.assertRaises(asyncio.CancelledError):
            asyncio.run(on_a_loop())

    def test_an_end_that_does_not_come_is_given_up(self) -> None:
        for way in ("close", "aclose"):
            connection = self.sandbox.open(self.sandbox.minting())
            connection.token()
            self.sandbox.admin_fault("delete_service_account", "stall")
            started = time.monotonic()
            with mock.patch("keyless.connection._CLOSE", 0.2), self.assertRaises(keyless.UnavailableError) as late:
                connection.close() if way == "close" else asyncio.run(connection.aclose())
            self.assertEqual(late.exception.code, "connection-close-timeout")
            self.assertLess(time.monotonic() - started, 5)
            # The thread is not left behind.
            self.assertEqual(self.code_of_close(connection), "connection-close-timeout")
            self.sandbox.mend()

    def test_one_that_breaks_at_its_end_says_so(self) -> None:
        connection = self.sandbox.open(self.sandbox.minting())
        connection.token()
        broken = Broken(keyless.UnavailableError("component-trapped", "trapped", 1.0))
        with mock.patch.object(Instance, "closed", side_effect=broken):
            self.assertEqual(self.code_of_close(connection), "component-trapped")

    def test_an_account_whose_key_got_lost_on_the_way_goes_too(self) -> None:
        self.sandbox.admin_fault("create_service_account", "close_after")
        connection = self.sandbox.open(self.sandbox.minting())
        connection._flight.wake()
        until(connection, lambda: connection.status().failures > 0)
        self.assertEqual(len(self.sandbox.alive()), 1)
        connection.close()
        self.assertEqual(self.sandbox.alive(), [])

    def test_a_child_deletes_its_own_and_never_its_parents(self) -> None:
        self.assertEqual(self.run_program(FORK), ["True"])
        parents, childs = self.sandbox.accounts()
        self.assertIsNone(parents["deleted_at_ms"])
        self.assertIsNotNone(childs["deleted_at_ms"])

    def test_a_child_makes_no_keys_by_a_name_that_one_process_has(self) -> None:
        self.assertEqual(self.run_program(FORK_OF_AN_INSTANCE, instance="web-0"), ["instance-forked", "True"])
        (parents,) = self.sandbox.accounts()
        self.assertIsNone(parents["deleted_at_ms"])

    def test_the_manifest_of_external_secrets_generator_is_a_document_as_json(self) -> None:
        minting = self.sandbox.minting()["exchange"]
        folder = self.enterContext(tempfile.TemporaryDirectory())
        key = Path(folder, "openai-admin", "api-key")
        os.mkdir(key.parent)
        shutil.copyfile(minting["admin_key"]["file"], key)
        manifest = {
            "apiVersion": "generators.external-secrets.io/v1alpha1",
            "kind": "OpenAI",
            "metadata": {"name": "openai"},
            "spec": {
                "projectId": minting["project_id"],
                "openAiAdminKey": {"name": "openai-admin", "key": "api-key"},
                "host": minting["host"],
            },
        }
        with self.sandbox.open(manifest, variables={"KEYLESS_SECRETS_DIR": folder}) as connection:
            self.assertEqual(connection.plan.dialect, "external-secrets")
            self.assertEqual(list(connection.plan.requirements.files), [str(key)])
            self.assertTrue(connection.token().startswith("sk-svcacct-"))
            self.assertEqual(len(self.sandbox.alive()), 1)
        self.assertEqual(self.sandbox.alive(), [])
