"""The main job with a real client: an unmodified program that uses OpenAI's SDK, started by `keyless run`."""

import os
import subprocess
import sys
import textwrap
import unittest

from sandbox import Sandbox

KEYLESS = os.environ["KEYLESS"]

# Knows nothing of Keyless, and has no key: the SDK takes everything from its usual variables.
PROGRAM = textwrap.dedent(
    """
    import asyncio, os, ssl
    from openai import AsyncOpenAI, DefaultAsyncHttpx2Client, DefaultHttpx2Client, OpenAI

    trust = ssl.create_default_context(cafile=os.environ["SANDBOX_CA"])
    question = {"model": "sandbox-1", "input": "hello"}

    client = OpenAI(http_client=DefaultHttpx2Client(verify=trust))
    assert [model.id for model in client.models.list()], "there are models"
    with client.responses.stream(**question) as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        assert stream.get_final_response().output_text == "".join(pieces)
    print(len(pieces))

    async def again():
        async with AsyncOpenAI(http_client=DefaultAsyncHttpx2Client(verify=trust)) as client:
            return [event async for event in await client.responses.create(stream=True, **question)]

    print(asyncio.run(again())[-1].type)
    """
)


class StreamedCall(unittest.TestCase):
    def test_an_unmodified_program_gets_a_streamed_answer(self) -> None:
        with Sandbox(KEYLESS) as sandbox:
            for dialect in ("native", "airflow_uri", "airflow_json", "airflow_json_text_extra"):
                with self.subTest(dialect=dialect):
                    output = self.run_program(sandbox.about, sandbox.about["documents"][dialect])
                    pieces, last = output.split()
                    self.assertGreater(int(pieces), 1, "it came in pieces")
                    self.assertEqual(last, "response.completed")

    def run_program(self, about: dict[str, str], document: str) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
        environment["SANDBOX_CA"] = about["ca_file"]
        command = [KEYLESS, "run", "--connection", document, "--ca-cert", about["ca_file"]]
        result = subprocess.run(
            [*command, "--", sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, timeout=120
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout


if __name__ == "__main__":
    unittest.main()
