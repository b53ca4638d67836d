"""docs/embed/components.md, pasted into a shell in a fresh directory."""

import os
import re
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from served import HERE, KEYLESS, PATIENCE, free_port

COMPONENTS = Path(os.environ["KEYLESS_COMPONENTS"])
PAGE = HERE.parent.parent / "docs" / "embed" / "components.md"
GATEWAY, ADMIN = "8080", "9440"


def script() -> str:
    """The shell blocks under "Try it", one after the other."""
    _, _, section = PAGE.read_text().partition("## Try it\n")
    section = section.split("\n## ")[0]
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE))


class Page(unittest.TestCase):
    def test_pasted_it_works(self) -> None:
        with tempfile.TemporaryDirectory(prefix="keyless-page-") as directory:
            status, said = paste(script(), Path(directory))
        self.assertEqual(status, 0, said)
        self.assertIn("event: response.completed", said)
        models = said.rpartition("event: response.completed")[2]
        self.assertIn('"gpt-5"', models, "the answer after the token was taken back")
        self.assertNotIn("bearer ", said.lower())

    def test_the_command_that_composes_is_said_once_and_for_all(self) -> None:
        commands = set(re.findall(r"^wac plug .*$", PAGE.read_text(), re.MULTILINE))
        self.assertEqual(len(commands), 1, commands)

    def test_links_lead_somewhere(self) -> None:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", PAGE.read_text()):
            with self.subTest(link=link):
                self.assertTrue((PAGE.parent / link).exists())


def paste(text: str, directory: Path) -> tuple[int, str]:
    """The shell's status, and all that appeared in the terminal."""
    programs = directory / "release"
    programs.mkdir()
    (programs / "keyless").symlink_to(KEYLESS)
    (programs / "wac").symlink_to(os.environ["WAC"])
    # What the page installs is installed already.
    (programs / "npm").write_text(f'#!/bin/sh\nexec ln -s "{HERE / "node_modules"}" node_modules\n')
    (programs / "npm").chmod(0o755)
    # Where `make components` puts them, beside the directory of the command.
    (directory / "components").symlink_to(COMPONENTS)
    for port in (GATEWAY, ADMIN):
        text = re.sub(rf"\b{port}\b", str(free_port()), text)
    terminal = directory / "terminal.txt"
    with terminal.open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-e", "-c", text],
            cwd=directory,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(directory)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = shell.wait(timeout=2 * PATIENCE)
        except subprocess.TimeoutExpired:
            status = -1
        # With what it started in the background.
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()
    return status, terminal.read_text(errors="replace")


if __name__ == "__main__":
    unittest.main()
