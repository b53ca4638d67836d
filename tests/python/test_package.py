"""What is built and installed: typed, whole, and nothing beside."""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import unittest
import zipfile
from pathlib import Path

import keyless

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / "target" / "components" / "credential-machine.wasm"


def mypy(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=HERE, timeout=300)


class Package(unittest.TestCase):
    def test_the_wheel_and_the_source_hold_what_they_should(self) -> None:
        (wheel,), (source,) = (HERE / ".wheel").glob("*.whl"), (HERE / ".wheel").glob("*.tar.gz")
        with zipfile.ZipFile(wheel) as held:
            names = held.namelist()
            component = held.read("keyless/credential-machine.wasm")
        self.assertEqual(hashlib.sha256(component).digest(), hashlib.sha256(BUILT.read_bytes()).digest())
        for wanted in ("keyless/py.typed", "keyless_credentials-0.1.0.dist-info/licenses/LICENSE"):
            self.assertIn(wanted, names)
        with tarfile.open(source) as archive:
            names = archive.getnames()
        for wanted in ("src/keyless/credential-machine.wasm", "src/keyless/py.typed", "README.md", "LICENSE"):
            self.assertIn(f"keyless_credentials-0.1.0/{wanted}", names)

    def test_what_is_tested_is_what_was_installed(self) -> None:
        self.assertIn("site-packages", keyless.__file__)

    def test_the_package_and_its_users_are_typed(self) -> None:
        # Airflow's hook is checked beside Airflow.
        beside_airflow = ["--python-executable", str(HERE / ".airflow" / "bin" / "python"), "-p", "keyless.airflow"]
        for arguments in (["-p", "keyless", "--exclude", "airflow"], beside_airflow, ["program.py"]):
            checked = mypy(*arguments)
            self.assertEqual((checked.returncode, checked.stdout), (0, ""))

    def test_a_wrong_use_is_noticed(self) -> None:
        wrong = textwrap.dedent(
            """
            import keyless
            number: int = keyless.open().token()
            """
        )
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write(wrong)
            file.flush()
            self.assertIn("Incompatible types in assignment", mypy(file.name).stdout)

    def test_it_imports_without_its_extras(self) -> None:
        program = "import sys, keyless; print(sorted(sys.modules.keys() & {'httpx', 'httpx2', 'openai', 'anthropic', 'airflow'}))"
        result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        self.assertEqual(result.stdout, "[]\n")
