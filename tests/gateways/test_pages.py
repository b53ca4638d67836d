"""The pages of docs/gateways, pasted into a shell in a fresh directory."""

import os
import re
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

import pages
from programs import INSTALLED, PATIENCE
from stage import DOCS, FILTER, KEYLESS, PORTS, free_ports, rewritten

# As the pages say it is ended, however far it came.
ENDING = "trap 'kill $(jobs -p); wait' EXIT\n"


class Pages(unittest.TestCase):
    def test_what_they_show_is_what_the_files_say(self) -> None:
        files = {path.read_text() for path in DOCS.iterdir() if path.is_file() and path.suffix != ".md"}
        for page in pages.pages():
            shown = pages.written_files(pages.script(page)) + pages.shown_files(page)
            for name, content in shown:
                with self.subTest(page=page.name, file=name):
                    self.assertIn(content, files, "it is word by word a file in docs/gateways")

    def test_links_lead_somewhere(self) -> None:
        for page in DOCS.glob("*.md"):
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
                with self.subTest(page=page.name, link=link):
                    self.assertTrue((page.parent / link).exists())

    def test_pasted_they_work(self) -> None:
        self.assertTrue(pages.pages())
        for page in pages.pages():
            with self.subTest(page=page.name), tempfile.TemporaryDirectory(prefix="keyless-page-") as directory:
                status, said = paste(pages.script(page), Path(directory))
                self.assertEqual(status, 0, said)
                self.assertIn("event: response.completed", said)
                models = said.rpartition("event: response.completed")[2]
                self.assertIn('"sandbox-1"', models, "the answer after the token was taken back")
                self.assertNotIn("bearer ", said.lower())


def paste(script: str, directory: Path) -> tuple[int, str]:
    """The shell's status, and all that appeared in the terminal."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    programs = directory / "programs"
    programs.mkdir()
    for program in INSTALLED.iterdir():
        (programs / program.name).symlink_to(program)
    (programs / "keyless").symlink_to(KEYLESS)
    # Where `make components` puts it, beside the directory of the command.
    (directory / "components").mkdir()
    (directory / "components" / FILTER.name).symlink_to(FILTER)
    # The directory of the sockets is one of this test's own, for which nobody need be root.
    (programs / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (programs / "sudo").chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(directory)}
    terminal = directory / "terminal.txt"
    with terminal.open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-e", "-c", ENDING + rewritten(script, ports, directory)],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = shell.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            status = shell.wait()
    return status, terminal.read_text(errors="replace")


if __name__ == "__main__":
    unittest.main()
