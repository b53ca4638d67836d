"""The driver of the conformance protocol, shipped with the package."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

from sandbox import KEYLESS, Sandbox

BUILT = Path(__file__).parents[2] / "target" / "components" / "credential-machine.wasm"
DOCUMENT = json.dumps(
    {
        "source": {"type": "file", "token_file_path": "/token"},
        "exchange": {"type": "openai", "identity_provider_id": "idp_1", "service_account_id": "svc_acct_1"},
    }
)


class Driver:
    """`python -m keyless.conformance`, ended with the block."""

    def __enter__(self) -> Driver:
        command = [sys.executable, "-m", "keyless.conformance"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)
        assert self._process.returncode == 0

    def line(self, text: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().rstrip("\n")

    def ask(self, request: str, **payload: Any) -> Any:
        return json.loads(self.line(json.dumps({request: payload or None})))


class Conformance(unittest.TestCase):
    def setUp(self) -> None:
        self.driver = self.enterContext(Driver())

    def test_it_says_who_it_is(self) -> None:
        digest = hashlib.sha256(BUILT.read_bytes()).hexdigest()
        expected = f'{{"name":"keyless-credentials for Python 0.1.0","component":"{digest}"}}'
        self.assertEqual(self.driver.line('{"hello":null}'), expected)

    def test_what_it_does_not_know_it_says(self) -> None:
        self.assertEqual(self.driver.ask("dance"), {"unsupported": "dance"})
        for line in ("", "nonsense", "[]", '{"plan":{}}', '{"a":1,"b":2}', '{"credential":{"name":"x"}}'):
            self.assertIn("err", json.loads(self.driver.line(line)), line)

    def test_a_plan_is_the_commands(self) -> None:
        planned = self.driver.ask("plan", document=DOCUMENT, variables=[])["ok"]
        command = [KEYLESS, "plan", "--connection", DOCUMENT, "--json"]
        ours = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env={"PATH": ""}).stdout)
        self.assertEqual(planned["dialect"], ours["dialect"])
        self.assertEqual(planned["settings"], ours["settings"])
        self.assertEqual(self.driver.ask("variables", document=DOCUMENT), {"ok": []})
        self.assertEqual(
            self.driver.ask("plan", document="{", variables=[])["err"]["invalid"]["code"], "document-syntax"
        )

    def test_a_session_is_replayed(self) -> None:
        def step(ms: int, event: Any) -> Any:
            return {"now": {"wall-ms": 1_800_000_000_000 + ms, "monotonic-ms": ms}, "event": event}

        head, claims = ({"alg": "none"}, {"exp": 1_900_000_000, "aud": "https://api.openai.com/v1"})
        parts = (base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in (head, claims))
        token = base64.b64encode(".".join([*parts, "c2ln"]).encode()).decode()
        answer = {"access_token": "granted", "token_type": "Bearer", "expires_in": 3600}
        answer["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
        body = base64.b64encode(json.dumps(answer).encode()).decode()
        headers = [{"name": "content-type", "value": "application/json"}]
        steps = [
            step(0, "tick"),
            step(1, {"file": [1, {"ok": token}]}),
            step(2, {"response": [2, {"ok": {"status": 200, "headers": headers, "body": body}}]}),
            step(2000, {"reject": 1}),
            step(2001, {"file": [3, {"err": "missing"}]}),
        ]
        replayed = self.driver.ask("replay", document=DOCUMENT, variables=[], steps=steps)
        self.assertEqual(replayed["open"], {"ok": None})
        read, sent, ready, again, _ = replayed["decisions"]
        self.assertEqual(read["effects"], [{"read-file": {"id": 1, "path": "/token", "limit": 16384}}])
        self.assertEqual((read["credential"], read["busy"], read["status"]["phase"]), ({"ok": None}, True, "acquiring"))
        request = sent["effects"][0]["send"]
        self.assertEqual((request["id"], request["url"]), (2, "https://auth.openai.com/oauth/token"))
        self.assertEqual(json.loads(base64.b64decode(request["body"]))["identity_provider_id"], "idp_1")
        self.assertEqual(ready["credential"]["ok"]["headers"], [{"name": "authorization", "value": "Bearer granted"}])
        self.assertEqual(ready["status"]["last-error"], None)
        self.assertEqual(again["effects"], [{"read-file": {"id": 3, "path": "/token", "limit": 16384}}])
        refused = self.driver.ask("replay", document="{", variables=[], steps=steps)
        self.assertEqual((refused["decisions"], list(refused["open"])), ([], ["err"]))

    def test_a_real_connection(self) -> None:
        with Sandbox() as sandbox:
            document = {"name": "a", "document": sandbox.document, "variables": []}
            opened = self.driver.ask("open", **document, grant=None, **{"ca-file": sandbox.ca})
            self.assertEqual(opened, {"ok": None})
            self.assertEqual(self.driver.ask("status", name="a")["ok"]["phase"], "idle")
            self.assertEqual(self.driver.ask("together", name="a", callers=16), {"ok": [1] * 16})
            credential = self.driver.ask("credential", name="a")["ok"]
            self.assertEqual(credential["generation"], 1)
            for _ in range(3):
                self.driver.ask("renew", name="a")
                status = self.driver.ask("status", name="a")["ok"]
                self.assertEqual((status["phase"], status["failures"], status["last-error"]), ("fresh", 0, None))
                # To the millisecond, however often it is told.
                told = (status["next-attempt-at"], status["expires-at"])
                self.assertEqual(told, (credential["renew-at"], credential["expires-at"]))
            self.assertEqual(self.driver.ask("renew", name="a")["ok"]["generation"], 1)
            self.assertEqual(self.driver.ask("reject", name="a", generation=1), {"ok": None})
            self.assertEqual(self.driver.ask("renew", name="a")["ok"]["generation"], 2)
            self.assertEqual(self.driver.ask("status", name="a")["ok"]["renewals"], 2)
            self.assertEqual(self.driver.ask("close", name="a"), {"ok": None})
            closed = self.driver.ask("credential", name="a")
            self.assertEqual(closed["err"]["unavailable"]["code"], "connection-closed")
            narrow = {"endpoints": [], "files": []}
            self.driver.ask("open", **document, grant=narrow, **{"ca-file": sandbox.ca})
            self.assertIn("denied", self.driver.ask("credential", name="a")["err"])
