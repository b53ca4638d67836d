"""The manifests of docs/kubernetes, against the schemas of Kubernetes and External Secrets, and an API server."""

import copy
import json
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

import yaml

from cluster import namespace, shared
from pod import DOCS
from programs import HERE, KEYLESS

# What is older than the API server of the tests is, or of another project.
NOT_THERE = ("external-secrets.io",)


class Manifests(unittest.TestCase):
    def test_they_fit_their_schemas(self) -> None:
        self.assertTrue(objects())
        self.assertEqual(complaints(objects()), [])

    def test_what_does_not_fit_is_found(self) -> None:
        for part in (None, "spec", "rules", "data"):
            misspelt = [changed for object in objects() if (changed := with_misspelt(object, part)) is not None]
            self.assertTrue(misspelt)
            found = complaints(misspelt)
            self.assertEqual(len(found), len(misspelt), (part, found))

    def test_an_api_server_takes_them(self) -> None:
        cluster = shared()
        place = namespace(cluster)
        for object in objects():
            if not any(group in object["apiVersion"] for group in NOT_THERE):
                if object["kind"] == "RoleBinding":
                    object["subjects"][0]["namespace"] = place
                with self.subTest(object=f"{object['kind']} {object['metadata']['name']}"):
                    taken = cluster.apply(place, object)
                    self.assertEqual(missing(object, taken), [])

    def test_keyless_understands_what_they_hold(self) -> None:
        for object in objects():
            for name, text in object.get("data", {}).items() if object["kind"] == "ConfigMap" else ():
                with self.subTest(name=name), tempfile.TemporaryDirectory() as directory:
                    (Path(directory) / name).write_text(text)
                    given = ["-c", f"@{name}"] if name.endswith(".json") else ["--config", name, "-c", "openai"]
                    plan = subprocess.run(
                        [KEYLESS, "plan", *given],
                        cwd=directory,
                        capture_output=True,
                        text=True,
                        timeout=60,
                        check=False,
                    )
                    self.assertEqual(plan.returncode, 0, plan.stderr)
                    self.assertIn("/var/run/secrets/tokens/token", plan.stdout)

    def test_the_command_takes_the_arguments_of_the_deployment(self) -> None:
        [deployment] = [
            object
            for object in objects()
            if object["metadata"]["name"] == "keyless-sync" and object["kind"] == "Deployment"
        ]
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        arguments = [
            argument.replace("@/etc/keyless/connection.json", '{"api_key": "sk-1"}') for argument in container["args"]
        ]
        with tempfile.TemporaryDirectory() as home:
            # No cluster here: what it says then is after everything was understood.
            environment = {"HOME": home, "PATH": "/usr/bin:/bin", "KEYLESS_CACHE_DIR": home}
            ran = subprocess.run(
                [KEYLESS, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
            )
        self.assertEqual(json.loads(ran.stderr.splitlines()[-1])["code"], "kubernetes-config", ran.stderr)


def objects() -> list[dict[str, Any]]:
    return [object for path in sorted(DOCS.glob("*.yaml")) for object in yaml.safe_load_all(path.read_text())]


def with_misspelt(object: dict[str, Any], part: str | None) -> dict[str, Any] | None:
    object = copy.deepcopy(object)
    if part is None:
        object["misspelt"] = {}
    elif part == "rules" and part in object:
        object[part][0]["misspelt"] = ["get"]
    elif part == "spec" and part in object:
        object[part]["misspelt"] = {}
    elif part == "data" and object["kind"] == "ConfigMap":
        object[part]["misspelt"] = 7
    else:
        return None
    return object


def complaints(objects: list[dict[str, Any]]) -> list[str]:
    """What does not fit, in lines."""
    node = HERE / ".programs" / "venv" / "bin" / "node"
    # A link to that of tests/gateways, whose packages are looked for beside the link.
    checked = subprocess.run(
        [str(node), "--preserve-symlinks", "--preserve-symlinks-main", str(HERE / "manifests.mjs")],
        input=json.dumps(objects),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    return checked.stdout.splitlines()


def missing(wanted: Any, taken: Any, path: str = "") -> list[str]:
    """What the API server has dropped, which is what it does to fields that it does not know."""
    if isinstance(wanted, dict):
        return [
            line
            for key, value in wanted.items()
            for line in ([f"{path}/{key}"] if key not in taken else missing(value, taken[key], f"{path}/{key}"))
            if not line.startswith(("/stringData",))
        ]
    if isinstance(wanted, list):
        return [line for at, value in enumerate(wanted) for line in missing(value, taken[at], f"{path}/{at}")]
    return []


if __name__ == "__main__":
    unittest.main()
