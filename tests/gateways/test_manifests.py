"""The manifests of docs/gateways, against the schemas of Kubernetes, Istio, Envoy Gateway and the Gateway API.

None of them was applied to a cluster: this finds what is misspelt, not what does not work. What they contain for others is
read by these: files for Keyless by Keyless, listeners and clusters by Envoy, the filter's configuration by the filter.
"""

import json
import re
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import patches
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


class Patches(unittest.TestCase):
    """The manifests with the filter for Envoy."""

    # istio.io, reference, "Traffic Extension", WasmConfig: what stands one level deeper there than in a WasmPlugin.
    OF_WASM = {
        "failStrategy",
        "imagePullPolicy",
        "imagePullSecret",
        "pluginConfig",
        "pluginName",
        "sha256",
        "type",
        "url",
        "verificationKey",
        "vmConfig",
    }

    def test_envoy_takes_what_they_add(self) -> None:
        for name, objects in with_filter():
            with self.subTest(file=name):
                self.assertEqual(patches.refusal(patches.resources(objects)), "")

    def test_envoy_takes_nothing_that_is_misspelt(self) -> None:
        for name, objects in with_filter():
            places, changed = zip(*patches.misspelt(patches.resources(objects)), strict=True)
            with ThreadPoolExecutor(4) as envoys:
                for place, said in zip(places, envoys.map(patches.refusal, changed), strict=True):
                    with self.subTest(file=name, place=place):
                        self.assertIn("misspelt", said)

    def test_the_filter_understands_its_configuration(self) -> None:
        for name, objects in with_filter():
            [(plugin, configuration)] = patches.configurations(objects).items()
            with self.subTest(file=name):
                self.assertEqual(patches.refusal(patches.with_filter(plugin, configuration)), "")
            for place, changed in patches.misspelt({"": configuration}):
                with self.subTest(file=name, place=place):
                    said = patches.refusal(patches.with_filter(plugin, changed[""]))
                    self.assertRegex(said, "keyless: unknown-field: .*misspelt")

    def test_the_filter_finds_what_it_asks_for(self) -> None:
        for name, objects in with_filter():
            with self.subTest(file=name):
                [configuration] = patches.configurations(objects).values()
                named = {configuration["exchange_cluster"], configuration["identity_cluster"]}
                self.assertLessEqual(named, patches.clusters(objects))
                token = configuration["connection"]["source"]["token_file_path"]
                [listener] = patches.resources(objects)["listeners"]
                self.assertIn(f'"match": {{"path": "{token}"}}, "direct_response"', json.dumps(listener))
                self.assertIn(f'"body": {{"filename": "{token}"', json.dumps(listener))

    def test_no_route_takes_the_credential_off(self) -> None:
        """It removes after all filters."""
        for name, objects in with_filter():
            with self.subTest(file=name):
                [removed] = re.findall(r'"remove": (\[.*?\])', json.dumps(objects))
                self.assertIn("x-api-key", json.loads(removed))
                self.assertNotIn("authorization", json.loads(removed))

    def test_a_traffic_extension_says_what_the_wasm_plugin_says(self) -> None:
        """There is no schema of it to hold it against, so it is held against the one of its predecessor."""
        shown = re.findall(r"^```yaml\n(.*?)^```$", (DOCS / "istio-filter.md").read_text(), re.DOTALL | re.MULTILINE)
        [extension] = [object for text in shown for object in yaml.safe_load_all(text)]
        self.assertEqual(extension["kind"], "TrafficExtension")
        [plugin] = [object for object in objects() if object["kind"] == "WasmPlugin"]
        self.assertEqual(set(extension["spec"]) & self.OF_WASM, set())
        wasm = extension["spec"].pop("wasm")
        self.assertLessEqual(set(wasm), self.OF_WASM)
        spec = {**extension["spec"], **wasm}
        self.assertEqual({**extension, "kind": "WasmPlugin", "spec": spec}, plugin)


def lives(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=30).close()
    except (urllib.error.URLError, ConnectionError):
        return False
    return True


def objects() -> list[dict[str, Any]]:
    """Everything in docs/gateways that a cluster takes."""
    return [object for objects in files().values() for object in objects]


def files() -> dict[str, list[dict[str, Any]]]:
    """The same, by file."""
    texts = {path.name: path.read_text() for path in sorted(DOCS.glob("*.yaml"))}
    return {name: list(yaml.safe_load_all(text)) for name, text in texts.items() if "\napiVersion: " in text}


def with_filter() -> list[tuple[str, list[dict[str, Any]]]]:
    """Those that put the filter into an Envoy."""
    found = [(name, objects) for name, objects in files().items() if patches.configurations(objects)]
    assert found
    return found


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
