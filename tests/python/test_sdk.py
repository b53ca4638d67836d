"""The official clients, sync and async, streams included: rotation under load, a 401, an outage."""

import asyncio
import ssl
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import httpx
import httpx2
import openai
from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, DefaultAsyncHttpx2Client, DefaultHttpx2Client, OpenAI

import keyless
from party import Party, answering
from sandbox import Sandbox
from waiting import until

QUESTION: Any = {"model": "sandbox-1", "input": "hello"}
MESSAGE: Any = {"model": "sandbox-1", "max_tokens": 64, "messages": [{"role": "user", "content": "hello"}]}


class Sdk(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = self.enterContext(Sandbox())
        self.trust = ssl.create_default_context(cafile=self.sandbox.ca)

    def connect(self, combination: str = "kubernetes-openai") -> keyless.Connection:
        document, variables = self.sandbox.combination(combination)
        return self.enterContext(self.sandbox.open(document, variables=variables))

    def openai(self, connection: keyless.Connection, auth: Any = None) -> OpenAI:
        client = DefaultHttpx2Client(verify=self.trust, auth=auth)
        opened = OpenAI(api_key=connection.token, base_url=connection.base_url, http_client=client, max_retries=0)
        return self.enterContext(opened)

    def async_openai(self, connection: keyless.Connection, auth: Any = None) -> AsyncOpenAI:
        client = DefaultAsyncHttpx2Client(verify=self.trust, auth=auth)
        return AsyncOpenAI(
            api_key=connection.token_async, base_url=connection.base_url, http_client=client, max_retries=0
        )


class OpenAi(Sdk):
    def test_a_call_and_a_stream(self) -> None:
        client = self.openai(self.connect())
        self.assertTrue(list(client.models.list()))
        with client.responses.stream(**QUESTION) as stream:
            pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        self.assertGreater(len(pieces), 1)
        self.assertIn("You said: hello", "".join(pieces))

    def test_a_call_and_a_stream_on_a_loop(self) -> None:
        async def ask() -> str:
            async with self.async_openai(self.connect()) as client:
                await client.models.list()
                stream = await client.responses.create(stream=True, **QUESTION)
                return [event.type async for event in stream][-1]

        self.assertEqual(asyncio.run(ask()), "response.completed")

    def test_rotation_under_load_loses_nothing(self) -> None:
        self.sandbox.switch("/lifetime", seconds=6)
        connection = self.connect()
        client, over = self.openai(connection), threading.Event()

        def call() -> int:
            calls = 0
            while not over.is_set():
                client.models.list()
                calls += 1
            return calls

        with ThreadPoolExecutor(8) as pool:
            calling = [pool.submit(call) for _ in range(8)]
            try:
                until(connection, lambda: connection.status().generation >= 3)
            finally:
                over.set()
            self.assertTrue(all(each.result() > 0 for each in calling))

    def test_rotation_under_load_loses_nothing_on_a_loop(self) -> None:
        self.sandbox.switch("/lifetime", seconds=6)
        connection = self.connect()

        async def call(client: AsyncOpenAI) -> None:
            while connection.status().generation < 3:
                await client.models.list()

        async def load() -> None:
            async with self.async_openai(connection) as client:
                await asyncio.gather(*(call(client) for _ in range(8)))

        asyncio.run(load())

    def test_after_a_401_the_request_is_sent_once_more(self) -> None:
        connection = self.connect()
        client = self.openai(connection, keyless.httpx_auth(connection))
        client.models.list()
        self.sandbox.switch("/revoke")
        with client.responses.stream(**QUESTION) as stream:
            self.assertTrue(stream.get_final_response().output_text)
        self.assertEqual(connection.credential().generation, 2)
        # Once: an API that refuses everything is not asked for ever.
        self.sandbox.switch("/revoke")
        with self.assertRaises(openai.AuthenticationError):
            client.models.list()
        self.assertEqual(self.sandbox.exchanges(), 2)

    def test_after_a_401_the_request_is_sent_once_more_on_a_loop(self) -> None:
        connection = self.connect()

        async def ask() -> None:
            async with self.async_openai(connection, keyless.httpx_auth(connection)) as client:
                await client.models.list()
                self.sandbox.switch("/revoke")
                await asyncio.gather(*(client.models.list() for _ in range(16)))

        asyncio.run(ask())
        self.assertEqual((connection.credential().generation, self.sandbox.exchanges()), (2, 2))

    def test_an_outage_passes_unnoticed_while_one_is_held(self) -> None:
        client = self.openai(self.connect())
        client.models.list()
        self.sandbox.fault("status", status=503)
        self.assertTrue(list(client.models.list()))


class AnthropicClient(Sdk):
    def client(self, connection: keyless.Connection) -> Anthropic:
        opened = Anthropic(
            credentials=keyless.anthropic_credentials(connection),
            base_url=connection.base_url,
            http_client=anthropic.DefaultHttpxClient(verify=self.trust),
        )
        return self.enterContext(opened)

    def test_a_call_and_a_stream(self) -> None:
        client = self.client(self.connect("kubernetes-anthropic"))
        self.assertTrue(client.messages.create(**MESSAGE).content)
        with client.messages.stream(**MESSAGE) as stream:
            self.assertGreater(len(list(stream.text_stream)), 1)

    def test_after_a_401_the_client_asks_once_more(self) -> None:
        connection = self.connect("kubernetes-anthropic")
        client = self.client(connection)
        client.messages.create(**MESSAGE)
        self.sandbox.switch("/revoke")
        self.assertTrue(client.messages.create(**MESSAGE).content)
        self.assertEqual(connection.credential().generation, 2)

    def test_on_a_loop(self) -> None:
        connection = self.connect("kubernetes-anthropic")

        async def ask() -> str:
            async with AsyncAnthropic(
                credentials=keyless.anthropic_credentials_async(connection),
                base_url=connection.base_url,
                http_client=anthropic.DefaultAsyncHttpxClient(verify=self.trust),
            ) as client:
                await client.messages.create(**MESSAGE)
                self.sandbox.switch("/revoke")
                async with client.messages.stream(**MESSAGE) as stream:
                    return "".join([text async for text in stream.text_stream])

        self.assertTrue(asyncio.run(ask()))
        self.assertEqual(connection.credential().generation, 2)


class Httpx(Sdk):
    def test_both_libraries_take_the_door(self) -> None:
        connection = self.connect()
        for library in (httpx, httpx2):
            with library.Client(verify=self.trust, auth=keyless.httpx_auth(connection)) as client:
                self.assertEqual(client.get(f"{connection.base_url}/models").status_code, 200)

    def test_another_origin_gets_nothing(self) -> None:
        connection = self.connect()
        with Party(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")) as elsewhere:
            with httpx.Client(auth=keyless.httpx_auth(connection)) as client:
                with self.assertRaises(keyless.InvalidError) as refused:
                    client.get(f"http://127.0.0.1:{elsewhere.port}/")
            self.assertEqual(refused.exception.code, "request-elsewhere")
            self.assertEqual(elsewhere.connections, 0)

    def test_a_body_that_is_used_up_is_not_sent_again(self) -> None:
        connection = self.connect()
        connection.token()
        self.sandbox.switch("/revoke")
        with httpx.Client(verify=self.trust, auth=keyless.httpx_auth(connection)) as client:
            answer = client.post(f"{connection.base_url}/responses", content=iter([b"{}"]))
        self.assertEqual(answer.status_code, 401)
        self.assertEqual(connection.credential().generation, 2)
