"""The manifests for External Secrets, with `keyless serve` as they configure it, and External Secrets' side played."""

import copy
import json
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

import external_secrets as eso
from cluster import free_ports
from pod import Sandbox, manifest
from programs import KEYLESS, Program

[BEARER, GENERATOR, EXTERNAL] = manifest("external-secrets-generator.yaml")
[STORE, EXTERNAL_BY_STORE] = manifest("external-secrets-store.yaml")
SECRETS = {BEARER["metadata"]["name"]: BEARER}


class Serving:
    """A sandbox, and `keyless serve` with the file of the manifests; the connection in it is the sandbox's."""

    def __init__(self, works: bool = True) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="keyless-eso-")
        directory = Path(self._directory.name)
        self.sandbox = Sandbox(directory)
        if not works:
            self.fault(True)
        port, ops = free_ports(2)
        self.address = ("127.0.0.1", port)
        [config] = [object for object in manifest("external-secrets.yaml") if object["kind"] == "ConfigMap"]
        text = config["data"]["keyless.toml"]
        listeners = text[text.index("[endpoint.") :]
        bearer = directory / "bearer"
        bearer.write_text(BEARER["stringData"]["bearer"])
        for stands, becomes in (
            ("0.0.0.0:8081", f"127.0.0.1:{port}"),
            ("0.0.0.0:9180", f"127.0.0.1:{ops}"),
            ("/etc/keyless/bearer/bearer", str(bearer)),
        ):
            assert stands in listeners
            listeners = listeners.replace(stands, becomes)
        with urllib.request.urlopen(f"{self.sandbox.told['admin']}/keyless.toml", timeout=30) as answer:
            connections = answer.read().decode()
        (directory / "keyless.toml").write_text(connections + "\n" + listeners)
        command = [KEYLESS, "serve", "--file", str(directory / "keyless.toml"), "--drain", "1"]
        self.program = Program(command, directory / "serve.log", {"KEYLESS_CA_CERT": self.sandbox.told["ca_file"]})
        self.program.until(lambda: self._lives(ops), "keyless serve")

    def _lives(self, ops: int) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{ops}/livez", timeout=30).close()
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    def fault(self, on: bool) -> None:
        """The token endpoint is out of order, or works again."""
        if on:
            self.sandbox.switch("/faults", service="exchange", fault={"kind": "status", "status": 503})
        else:
            request = urllib.request.Request(f"{self.sandbox.told['admin']}/faults", method="DELETE")
            urllib.request.urlopen(request, timeout=30).close()

    def __enter__(self) -> "Serving":
        return self

    def __exit__(self, *_: object) -> None:
        self.program.end()
        self.sandbox.end()
        self._directory.cleanup()


class Generator(unittest.TestCase):
    def test_it_makes_the_secret_of_the_manifest(self) -> None:
        with Serving() as serving:
            data = eso.generate(GENERATOR, SECRETS, serving.address)
            secret = eso.filled(EXTERNAL["spec"]["target"]["template"]["data"], data)
            self.assertEqual(set(secret), {"api_key", "base_url"})
            self.assertTrue(serving.sandbox.opens(secret["api_key"]))
            self.assertEqual(secret["base_url"], serving.sandbox.told["base_url"])
            # Without the template: what Kubernetes takes for keys, and nothing empty.
            self.assertEqual(set(data), {"token", "base_url", "generation", "renew_at", "expires_at", "headers"})
            self.assertTrue(all(data.values()))
            self.assertEqual(json.loads(data["headers"])["authorization"], f"Bearer {data['token']}")

    def test_every_refresh_gives_what_is_good_for_longer_than_the_interval(self) -> None:
        with Serving() as serving:
            first = eso.generate(GENERATOR, SECRETS, serving.address)
            again = eso.generate(GENERATOR, SECRETS, serving.address)
            self.assertEqual(first["token"], again["token"], "a refresh makes no credential of its own")
            renew, end = (moment(first[name]) for name in ("renew_at", "expires_at"))
            self.assertLess(eso.seconds(EXTERNAL["spec"]["refreshInterval"]), end - renew)
            self.assertGreater(end, time.time())

    def test_each_header_can_be_a_key(self) -> None:
        with Serving() as serving:
            by_headers = changed(GENERATOR, "spec", "result", jsonPath="$.headers")
            headers = eso.generate(by_headers, SECRETS, serving.address)
            self.assertTrue(headers["authorization"].startswith("Bearer "))

    def test_a_text_is_not_for_it(self) -> None:
        with Serving() as serving, self.assertRaisesRegex(eso.Failed, "from jsonpath"):
            eso.generate(changed(GENERATOR, "spec", "result", jsonPath="$.token"), SECRETS, serving.address)

    def test_without_its_bearer_it_fails(self) -> None:
        with Serving() as serving:
            for secret, why in (
                (changed(BEARER, "stringData", bearer="another-word-of-some-length"), "401"),
                (changed(BEARER, "stringData", bearer=BEARER["stringData"]["bearer"] + "\n"), "invalid header"),
                (changed(BEARER, "metadata", labels={}), "needed label"),
            ):
                with self.subTest(why=why), self.assertRaisesRegex(eso.Failed, why):
                    eso.generate(GENERATOR, {"keyless-bearer": secret}, serving.address)

    def test_a_connection_that_is_not_served_is_no_secret(self) -> None:
        with Serving() as serving, self.assertRaises(eso.NoSecret):
            other = GENERATOR["spec"]["url"].replace("/openai", "/opnai")
            eso.generate(changed(GENERATOR, "spec", url=other), SECRETS, serving.address)

    def test_an_outage_is_a_failure_within_its_timeout_and_never_no_secret(self) -> None:
        with Serving(works=False) as serving:
            began = time.monotonic()
            with self.assertRaisesRegex(eso.Failed, "endpoint gave error 503"):
                eso.generate(GENERATOR, SECRETS, serving.address)
            self.assertLess(time.monotonic() - began, eso.seconds(GENERATOR["spec"]["timeout"]))
            serving.fault(False)
            deadline = time.monotonic() + 90
            while True:
                try:
                    data = eso.generate(GENERATOR, SECRETS, serving.address)
                    break
                except eso.Failed:
                    self.assertLess(time.monotonic(), deadline)
            self.assertTrue(serving.sandbox.opens(data["token"]))


class Store(unittest.TestCase):
    def test_it_makes_the_secret_of_the_manifest(self) -> None:
        with Serving() as serving:
            secret = {
                entry["secretKey"]: eso.property_of(STORE, entry["remoteRef"], SECRETS, serving.address)
                for entry in EXTERNAL_BY_STORE["spec"]["data"]
            }
            self.assertEqual(set(secret), {"api_key", "base_url"})
            self.assertTrue(serving.sandbox.opens(secret["api_key"]))
            self.assertEqual(secret["base_url"], serving.sandbox.told["base_url"])

    def test_every_member_can_be_a_property(self) -> None:
        with Serving() as serving:
            names = ("generation", "headers", "expires_at")
            generation, headers, end = (
                eso.property_of(STORE, {"key": "openai", "property": name}, SECRETS, serving.address) for name in names
            )
            self.assertEqual(generation, "1")
            self.assertIn("authorization", json.loads(headers))
            self.assertTrue(end.endswith("Z"))

    def test_all_of_it_by_extract(self) -> None:
        with Serving() as serving:
            headers = eso.whole_of(STORE, {"key": "openai", "property": "headers"}, SECRETS, serving.address)
            self.assertTrue(headers["authorization"].startswith("Bearer "))

    def test_a_connection_that_is_not_served_is_no_secret(self) -> None:
        with Serving() as serving, self.assertRaises(eso.NoSecret):
            eso.property_of(STORE, {"key": "a name/of another", "property": "token"}, SECRETS, serving.address)


def changed(object: dict[str, Any], *path: str, **members: Any) -> dict[str, Any]:
    copied = copy.deepcopy(object)
    inner = copied
    for name in path:
        inner = inner[name]
    inner.update(members)
    return copied


def moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


if __name__ == "__main__":
    unittest.main()
