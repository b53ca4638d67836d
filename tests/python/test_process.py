"""Forks, the end of the interpreter, and the compiled code between runs: each in a process of its own."""

import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

from sandbox import Sandbox

FORK = """
    import os, sys
    import keyless

    connection = keyless.open(sys.argv[1], ca_file=sys.argv[2], variables={})
    first = connection.credential()
    child = os.fork()
    if child == 0:
        # The parent's is still good; another one is got without the parent.
        assert connection.credential(within=0) == first
        connection.reject(1)
        print("child", connection.credential().generation, flush=True)
        grandchild = os.fork()
        if grandchild == 0:
            connection.reject(2)
            print("grandchild", connection.credential().generation, flush=True)
            os._exit(0)
        assert os.waitpid(grandchild, 0)[1] == 0
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print("parent", connection.credential(within=0).generation)
"""

FORK_WHILE_IT_WAITS = """
    import os, sys, threading
    import keyless

    connection = keyless.open(sys.argv[1], ca_file=sys.argv[2], variables={})

    def say(who):
        # At once and not by `print`: a child inherits what waits to be written.
        os.write(1, f"{who} {connection.credential().generation}\\n".encode())

    reader = threading.Thread(target=say, args=["parent"])
    reader.start()
    children = []
    for _ in range(8):
        child = os.fork()
        if child == 0:
            say("child")
            os._exit(0)
        children.append(child)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    reader.join()
"""

IMPORTS = """
    import sys
    import keyless

    connection = keyless.open(sys.argv[1], ca_file=sys.argv[2], variables={})
    before = set(sys.modules)
    connection.credential()
    print("imported:", *sorted(set(sys.modules) - before))
"""

EXIT = """
    import sys, threading
    import keyless

    connection = keyless.open(sys.argv[1], ca_file=sys.argv[2], variables={})
    try:
        connection.token(within=0.3)
    except keyless.UnavailableError as error:
        print(error.code)
"""


class Process(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = self.enterContext(Sandbox())

    def run_program(self, program: str, **environment: str) -> list[str]:
        result = subprocess.run(
            [
                sys.executable,
                "-W",
                "error::ResourceWarning",
                # Python 3.12 warns of every fork of a process with threads, which is what is under test.
                "-W",
                "ignore::DeprecationWarning",
                "-c",
                textwrap.dedent(program),
                self.sandbox.document,
                self.sandbox.ca,
            ],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, **environment},
        )
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stderr)
        return result.stdout.splitlines()

    def test_a_child_goes_on_with_what_its_parent_had(self) -> None:
        self.assertEqual(self.run_program(FORK), ["child 2", "grandchild 3", "parent 1"])
        self.assertEqual(self.sandbox.exchanges(), 3)

    def test_a_fork_in_the_middle_of_an_exchange_breaks_nobody(self) -> None:
        self.sandbox.fault("delay", times=1, ms=500)
        self.assertEqual(sorted(self.run_program(FORK_WHILE_IT_WAITS)), ["child 1"] * 8 + ["parent 1"])

    def test_nothing_is_imported_beside_a_fork(self) -> None:
        # A child inherits the lock of an import that a thread of its parent's is in, and nobody opens it there.
        self.assertEqual(self.run_program(IMPORTS), ["imported:"])

    def test_the_end_of_the_interpreter_waits_for_nothing(self) -> None:
        self.sandbox.fault("stall")
        self.assertEqual(self.run_program(EXIT), ["connection-deadline"])

    def test_compiled_code_is_kept_for_this_user_alone(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            cache = Path(scratch, "cache")
            self.run_program(FORK, KEYLESS_CACHE_DIR=str(cache))
            (kept,) = cache.iterdir()
            self.assertEqual((cache.stat().st_mode & 0o777, kept.stat().st_mode & 0o777), (0o700, 0o600))
            # What is damaged is made anew.
            kept.write_bytes(kept.read_bytes()[:1000])
            self.run_program(FORK, KEYLESS_CACHE_DIR=str(cache))
            self.assertGreater(kept.stat().st_size, 100_000)
            # Where others may write, nothing is read or written.
            kept.unlink()
            cache.chmod(0o777)
            self.run_program(FORK, KEYLESS_CACHE_DIR=str(cache))
            self.assertEqual(list(cache.iterdir()), [])

    def test_nothing_is_kept_where_it_is_not_wanted(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            self.run_program(FORK, KEYLESS_CACHE_DIR=scratch, KEYLESS_NO_CACHE="1")
            self.assertEqual(os.listdir(scratch), [])
