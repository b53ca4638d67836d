"""Every program in the package's README runs as it stands there."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from pages import blocks
from sandbox import Sandbox

README = Path(__file__).parents[2] / "host" / "python" / "README.md"


class Readme(unittest.TestCase):
    def test_every_program_runs(self) -> None:
        programs = blocks(README, "python")
        self.assertEqual(len(programs), 5)
        with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
            Path(folder, "anthropic.json").write_text(sandbox.combination("kubernetes-anthropic")[0])
            # Nothing but the place of the sandbox, and whom to trust there.
            environment = {
                "HOME": folder,
                "PATH": os.environ["PATH"],
                "KEYLESS_CONNECTION": sandbox.document,
                "SSL_CERT_FILE": sandbox.ca,
            }
            for program in programs:
                with self.subTest(program):
                    result = subprocess.run(
                        [sys.executable, "-c", program],
                        capture_output=True,
                        text=True,
                        timeout=60,
                        cwd=folder,
                        env=environment,
                    )
                    self.assertEqual((result.returncode, result.stderr), (0, ""))
                    self.assertTrue(result.stdout.strip())
