"""The manifests of docs/gateways, against the schemas of Kubernetes, Istio, Envoy Gateway and the Gateway API.

None of them was applied to a cluster: this finds what is misspelt, not what does not work. The files for Keyless in
them are read by Keyless itself.
"""

import json
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml
from programs import HERE, Program
from stage import DOCS, KEYLESS, OPS, PORTS, free_ports, rewritten


class Manifests(unittest.TestCase):
    def test_they_fit_their_schemas(self) -> None:
        self.assertTrue(objects())
        self.assertEqual(complaints(objects()), [])

    def test_what_does_not_fit_is_found(self) -> None:
        misspelt = [{**object, "misspelt": {}} for object in objects()]
        found = [line.rpartition(": ")[2] for line in complaints(misspelt)]
        self.assertEqual(found, ["/misspelt is unknown"] * len(misspelt))
        misspelt = [{**object, "spec": {**object["spec"], "misspelt": {}}} for object in objects() if "spec" in object]
        found = [line.rpartition(": ")[2] for line in complaints(misspelt)]
        self.assertEqual(found, ["/spec/misspelt is unknown"] * len(misspelt))

    def test_keyless_understands_its_files_in_them(self) -> None:
        files = [object["data"]["keyless.toml"] for object in objects() if object["kind"] == "ConfigMap"]
        self.assertTrue(files)
        for file in files:
            with self.subTest(file=file), tempfile.TemporaryDirectory(prefix="keyless-manifest-") as directory:
                ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
                (Path(directory) / "keyless.toml").write_text(rewritten(file, ports, Path(directory)))
                keyless = Program([KEYLESS, "serve"], Path(directory), Path(directory) / "keyless.log")
                try:
                    keyless.until(lambda port=ports[OPS]: lives(port), "keyless serve")
                finally:
                    keyless.end()


def lives(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=30).close()
    except (urllib.error.URLError, ConnectionError):
        return False
    return True


def objects() -> list[dict[str, Any]]:
    """Everything in docs/gateways that a cluster takes."""
    files = [path.read_text() for path in sorted(DOCS.glob("*.yaml"))]
    return [object for file in files if "\napiVersion: " in file for object in yaml.safe_load_all(file)]


def complaints(objects: list[dict[str, Any]]) -> list[str]:
    """What does not fit, in lines."""
    node = HERE / ".programs" / "venv" / "bin" / "node"
    checked = subprocess.run(
        [str(node), str(HERE / "manifests.mjs")],
        input=json.dumps(objects),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    return checked.stdout.splitlines()


if __name__ == "__main__":
    unittest.main()
