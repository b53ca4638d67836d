"""Which document, which variables, which grant; the lock file; a source of the program's own; files."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import keyless
from keyless import files
from sandbox import KEYLESS, Sandbox

KEY = '{"api_key":"sk-canary"}'
CUSTOM = {
    "source": {"type": "custom", "component": "/etc/keyless/source.wasm"},
    "exchange": {"type": "openai", "identity_provider_id": "idp_sandbox", "service_account_id": "svc_acct_sandbox"},
}


def code(raised: Any) -> str:
    return str(raised.exception.code)


class Found(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(mock.patch.dict(os.environ, {"HOME": str(self.folder)}, clear=True))
        before = Path.cwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)

    def dialect(self) -> str:
        return keyless.plan().dialect

    def test_the_places_are_looked_at_in_the_commands_order(self) -> None:
        with self.assertRaises(keyless.InvalidError) as missing:
            keyless.open()
        self.assertEqual(code(missing), "connection-missing")
        os.environ["OPENAI_API_KEY"] = "sk-canary"
        self.assertEqual(self.dialect(), "environment")
        Path("keyless.toml").write_text(
            f"default = 'a'\n[connections]\na = '{KEY}'\n[connections.b]\nnickname = 'x'\napi_key = 'k'\n"
        )
        self.assertEqual(self.dialect(), "native")
        os.environ["AIRFLOW_CONN_OPENAI_DEFAULT"] = "openai://:sk-canary@"
        self.assertEqual(self.dialect(), "airflow-uri")
        os.environ["KEYLESS_CONNECTION"] = "b"
        self.assertEqual(self.dialect(), "okta")
        Path("document.json").write_text(KEY)
        os.environ["KEYLESS_CONNECTION"] = "@document.json"
        self.assertEqual(self.dialect(), "native")
        self.assertEqual(keyless.plan({"conn_type": "openai", "password": "k"}).dialect, "airflow-json")
        for given, expected in (
            ("c", "connection-name"),
            ("@nothing.json", "connection-file"),
            ("@keyless.yaml", "connection-file"),
        ):
            with self.assertRaises(keyless.InvalidError) as refused:
                keyless.plan(given)
            self.assertEqual(code(refused), expected)
        Path("connection.toml").write_text("api_key = 'k'\n")
        self.assertEqual(keyless.plan("@connection.toml").dialect, "native")

    def test_a_static_key_needs_nothing_and_never_ends(self) -> None:
        with keyless.open(KEY, grant=keyless.Grant()) as connection:
            self.assertEqual((connection.token(), connection.base_url), ("sk-canary", "https://api.openai.com/v1"))
            self.assertIsNone(connection.credential().expires_at)

    def test_another_header_is_no_token(self) -> None:
        with keyless.open({"api_key": "k", "api": {"type": "anthropic"}}) as connection:
            self.assertEqual(connection.headers()["x-api-key"], "k")
            with self.assertRaises(keyless.InvalidError) as refused:
                connection.token()
            self.assertEqual(code(refused), "credential-without-token")

    def test_what_the_engine_refuses_is_raised_as_it_is(self) -> None:
        with self.assertRaises(keyless.InvalidError) as refused:
            keyless.open({"source": {"type": "kubernetes"}, "exchange": {}})
        self.assertEqual((refused.exception.kind, code(refused)), ("invalid", "field-missing"))
        self.assertIn("identity_provider_id", refused.exception.message)
        with self.assertRaises(keyless.InvalidError):
            keyless.open({"api_key": object()})

    def test_only_what_is_read_is_handed_over(self) -> None:
        asked: list[str] = []

        class Watched(dict[str, str]):
            def __getitem__(self, name: str) -> str:
                asked.append(name)
                return super().__getitem__(name)

        document = {"source": {"type": "variable", "variable": "WANTED"}, "exchange": CUSTOM["exchange"]}
        with keyless.open(json.dumps(document), variables=Watched(WANTED="canary", OTHER="canary")):
            self.assertEqual(asked, ["WANTED"])

    def test_a_variable_that_is_no_text_is_refused(self) -> None:
        os.environ["WANTED"] = "\udcff"
        with self.assertRaises(keyless.InvalidError) as refused:
            keyless.open({"api_key": {"variable": "WANTED"}})
        self.assertEqual(code(refused), "variable-not-unicode")


class Granted(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = self.enterContext(Sandbox())
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def denied(self, grant: keyless.Grant) -> str:
        with self.sandbox.open(grant=grant) as connection, self.assertRaises(keyless.DeniedError) as denied:
            connection.token()
        return code(denied)

    def test_beyond_the_grant_nothing_is_tried(self) -> None:
        needed = keyless.plan(self.sandbox.document).requirements
        self.assertEqual(self.denied(keyless.Grant.of(files=needed.files)), "endpoint-denied")
        self.assertEqual(self.denied(keyless.Grant.of(needed.endpoints)), "file-denied")
        self.assertEqual(self.sandbox.exchanges(), 0)
        with self.sandbox.open(grant=keyless.Grant.of(needed.endpoints, needed.files)) as connection:
            self.assertTrue(connection.token())

    def test_the_lock_file_of_the_command_binds(self) -> None:
        lock = self.folder / "keyless.lock"
        command = [KEYLESS, "plan", "--connection", self.sandbox.document, "--lock", str(lock)]
        subprocess.run(command, check=True, capture_output=True)
        with self.sandbox.open(lock=lock) as connection:
            self.assertTrue(connection.token())
        document = json.loads(self.sandbox.document)
        document["source"]["token_file_path"] = "/etc/shadow"
        with self.assertRaises(keyless.DeniedError) as exceeded:
            self.sandbox.open(json.dumps(document), lock=lock)
        self.assertEqual(code(exceeded), "grant-exceeded")
        self.assertIn("the file /etc/shadow", exceeded.exception.message)
        text = json.loads(lock.read_text())
        for broken, expected in (
            ({**text, "version": 2}, "lock-version"),
            ({**text, "more": 1}, "lock-invalid"),
            ({**text, "files": "x"}, "lock-invalid"),
            ({**text, "endpoints": [{"method": "POST", "url": "http://a.example/"}]}, "grant-endpoint-insecure"),
            ([], "lock-invalid"),
        ):
            lock.write_text(json.dumps(broken))
            with self.assertRaises(keyless.Error) as refused:
                self.sandbox.open(lock=lock)
            self.assertEqual(code(refused), expected)

    def test_a_client_certificate_is_presented(self) -> None:
        document, variables = self.sandbox.combination("x509-openai")
        with self.sandbox.open(document, variables=variables) as connection:
            self.assertTrue(connection.token())
        with self.assertRaises(keyless.DeniedError):
            self.sandbox.open(document, variables=variables, grant=keyless.Grant.of())

    def test_every_source_without_a_metadata_service_works(self) -> None:
        combinations = self.sandbox.about["documents"]["combinations"]
        direct = [name for name, found in combinations.items() if not found["connect_to"]]
        self.assertGreater(len(direct), 40)
        for name in direct:
            document, variables = self.sandbox.combination(name)
            with self.subTest(name), self.sandbox.open(document, variables=variables) as connection:
                self.assertTrue(connection.attempt().headers)

    def test_the_programs_own_source_is_asked(self) -> None:
        token = Path(self.sandbox.about["token_file"]).read_text().strip()
        document = {
            **CUSTOM,
            "exchange": {**CUSTOM["exchange"], "token_endpoint": self.sandbox.about["token_endpoint"]},
        }
        document["source"] = {**CUSTOM["source"], "audience": "https://api.openai.com/v1"}
        audiences: list[str | None] = []

        async def later(audience: str | None) -> str:
            audiences.append(audience)
            return token

        def failing(_: str | None) -> str:
            raise RuntimeError("the vault is sealed")

        for source in (lambda audience: token, later):
            with self.sandbox.open(json.dumps(document), source=source) as connection:
                self.assertTrue(connection.token())
        self.assertEqual(audiences, ["https://api.openai.com/v1"])
        for source, words in (
            (failing, "RuntimeError: the vault is sealed"),
            (lambda audience: 7, "gave int, not text"),
        ):
            with self.sandbox.open(json.dumps(document), source=source) as connection:
                with self.assertRaises(keyless.IdentityError) as refused:
                    connection.token()
                self.assertIn(words, refused.exception.message)
        with self.assertRaises(keyless.DeniedError) as missing:
            self.sandbox.open(json.dumps(document))
        self.assertEqual(code(missing), "custom-source-missing")


class Files(unittest.TestCase):
    def test_regular_ones_up_to_the_limit(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "file").write_bytes(b"12345678")
            os.mkfifo(folder / "pipe")
            self.assertEqual(files.read(str(folder / "file"), 8), b"12345678")
            for path, limit, fault in (
                ("file", 7, "too-large"),
                ("missing", 7, "missing"),
                ("file/below", 7, "missing"),
                ("", 7, "not-a-file"),
                ("pipe", 7, "not-a-file"),
                ("nul\0", 7, "missing"),
            ):
                with self.assertRaises(files.Unreadable, msg=path) as unreadable:
                    files.read(f"{folder}/{path}", limit)
                self.assertEqual(unreadable.exception.fault, fault)

    def test_a_token_is_read_anew_each_time(self) -> None:
        with Sandbox() as sandbox, sandbox.open() as connection:
            connection.token()
            # The volume is swapped as a kubelet does it.
            sandbox.switch("/rotate-token")
            sandbox.switch("/rotate-keys", keep_old=False)
            sandbox.switch("/rotate-token")
            connection.reject(1)
            self.assertEqual(connection.credential().generation, 2)
