"""The hook in Airflow itself: the page's DAGs, before and after, and every form of a connection."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

HOME = tempfile.TemporaryDirectory()
os.environ["AIRFLOW_HOME"] = HOME.name
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(Path(HOME.name, "dags"))
os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"

import keyless  # noqa: E402
import openai  # noqa: E402
from airflow.providers.openai.hooks.openai import OpenAIHook as Before  # noqa: E402
from keyless.airflow import OpenAIHook as After  # noqa: E402
from pages import blocks  # noqa: E402
from sandbox import Sandbox  # noqa: E402

PAGE = HERE.parents[2] / "docs" / "embed" / "airflow.md"
AIRFLOW = str(Path(sys.executable).parent / "airflow")
IDENTITY = ""


def identity_token() -> str:
    """What a connection with the provider `custom` names."""
    return IDENTITY


def tearDownModule() -> None:
    HOME.cleanup()


class Stage(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = self.enterContext(Sandbox())
        self.documents: dict[str, str] = self.sandbox.about["documents"]
        self.connection(self.documents["airflow_uri"])

    def connection(self, document: str) -> None:
        environment = {
            "AIRFLOW_CONN_OPENAI_DEFAULT": document,
            "KEYLESS_CA_CERT": self.sandbox.ca,
            "SSL_CERT_FILE": self.sandbox.ca,
        }
        self.enterContext(mock.patch.dict(os.environ, environment))

    def static(self) -> str:
        """An API key, as far as Airflow can tell: it ends when the sandbox says so."""
        with self.sandbox.open() as connection:
            key = connection.token()
        return json.dumps({"conn_type": "openai", "password": key, "host": self.sandbox.about["base_url"]})


class Dags(Stage):
    @classmethod
    def setUpClass(cls) -> None:
        subprocess.run([AIRFLOW, "db", "migrate"], check=True, capture_output=True, timeout=300)
        dags = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
        dags.mkdir()
        for program in blocks(PAGE, "python"):
            (dags / program.splitlines()[0].removeprefix("# dags/")).write_text(program)

    def run_dag(self, name: str) -> tuple[int, str]:
        """The exit code, and what Airflow says about the run."""
        environment = {**os.environ, "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO"}
        command = [AIRFLOW, "dags", "test", name]
        result = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
        return result.returncode, result.stdout + result.stderr

    def succeeds(self, name: str) -> None:
        code, said = self.run_dag(name)
        self.assertEqual(code, 0, said)
        self.assertIn("state=success", said)

    def calls(self) -> int:
        return len(self.sandbox.state()["requests"]["upstream"])

    def test_one_import_line_is_all_that_changes(self) -> None:
        before, after = ({line for line in blocks(PAGE, "python")[n].splitlines()} for n in (0, 1))
        self.assertEqual(
            {line.replace("after", "before") for line in after - before if "OpenAIHook" not in line} - before, set()
        )

    def test_before_and_after(self) -> None:
        with self.subTest("a key that works"):
            self.connection(self.static())
            self.succeeds("before")
        with self.subTest("a key that has ended"):
            self.sandbox.switch("/revoke")
            code, said = self.run_dag("before")
            self.assertNotEqual(code, 0)
            self.assertIn("AuthenticationError", said)
        with self.subTest("one line changed"):
            self.connection(self.documents["airflow_uri"])
            self.succeeds("after")

    def test_an_operator_uses_it(self) -> None:
        self.succeeds("operators")
        self.assertEqual((self.calls(), self.sandbox.exchanges()), (1, 1))


class Hook(Stage):
    def models(self, hook: Before) -> int:
        with hook.get_conn() as client:
            return len(list(client.models.list()))

    def test_every_form_of_a_connection(self) -> None:
        static = json.loads(self.static())
        key, host = static["password"], static["host"]
        forms = {
            "uri": self.documents["airflow_uri"],
            "json": self.documents["airflow_json"],
            "json, extra as text": self.documents["airflow_json_text_extra"],
            "password": json.dumps(static),
            "client arguments": json.dumps(
                {
                    "conn_type": "openai",
                    "extra": {"openai_client_kwargs": {"api_key": key, "base_url": host, "timeout": 5}},
                }
            ),
        }
        for name, document in forms.items():
            with self.subTest(name):
                self.connection(document)
                self.assertGreater(self.models(After()), 0)
                if "password" in name or "arguments" in name:
                    self.assertEqual(self.models(Before()), self.models(After()))

    def test_a_python_function_gives_the_identity_token(self) -> None:
        global IDENTITY
        IDENTITY = Path(self.sandbox.about["token_file"]).read_text().strip()
        document = json.loads(self.documents["airflow_json"])
        extra: dict[str, Any] = document["extra"]
        del extra["token_file_path"]
        extra.update(workload_identity_provider="custom", token_provider=f"{__name__}.identity_token")
        self.connection(json.dumps(document))
        self.assertGreater(self.models(After()), 0)

    def test_hooks_of_a_process_share_one_exchange(self) -> None:
        clients = [self.enterContext(After().get_conn()) for _ in range(4)]
        for client in clients:
            client.models.list()
        self.assertEqual(self.sandbox.exchanges(), 1)

    def test_after_a_401_the_request_is_sent_once_more(self) -> None:
        client = self.enterContext(After().get_conn())
        client.models.list()
        self.sandbox.switch("/revoke")
        self.assertTrue(client.responses.create(model="sandbox-1", input="hello").output_text)
        self.assertEqual(self.sandbox.exchanges(), 2)

    def test_a_client_that_stays_survives_its_tokens(self) -> None:
        self.sandbox.switch("/lifetime", seconds=4)
        client = self.enterContext(After().get_conn())
        while self.sandbox.exchanges() < 3:
            client.models.list()

    def test_on_a_loop(self) -> None:
        async def ask() -> str:
            async with await After().aget_conn() as client:
                self.assertIsInstance(client, openai.AsyncOpenAI)
                stream = await client.responses.create(model="sandbox-1", input="hello", stream=True)
                return [event.type async for event in stream][-1]

        self.assertEqual(asyncio.run(ask()), "response.completed")

    def test_a_lock_file_binds(self) -> None:
        lock = Path(HOME.name, "keyless.lock")
        lock.write_text('{"version":1,"component":{"sha256":""},"endpoints":[],"files":[],"variables":[]}')
        with mock.patch.dict(os.environ, KEYLESS_LOCKED=str(lock)), self.assertRaises(keyless.DeniedError) as exceeded:
            After().get_conn()
        self.assertEqual(exceeded.exception.code, "grant-exceeded")

    def test_a_wrong_connection_names_the_field(self) -> None:
        self.connection(
            '{"conn_type":"openai","extra":{"auth_type":"workload_identity","identity_provider_id":"idp_1"}}'
        )
        with self.assertRaises(keyless.InvalidError) as wrong:
            After().get_conn()
        self.assertIn("service_account_id", wrong.exception.message)


if __name__ == "__main__":
    unittest.main()
