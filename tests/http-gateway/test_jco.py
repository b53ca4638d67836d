"""The gateway in `jco serve`: one instance, whose credential lives as long as the process."""

import http.client
import json
import socket
import subprocess
import threading
import unittest
from typing import Any

from sandbox import Sandbox, digest, header
from served import KEYLESS, PATIENCE, Group, Served


class InFrontOfTheSandbox(unittest.TestCase):
    def setUp(self) -> None:
        sandbox = Group([KEYLESS, "sandbox", "--json"], stdout=subprocess.PIPE)
        self.addCleanup(sandbox.end)
        assert sandbox.process.stdout is not None
        about = json.loads(sandbox.process.stdout.readline())
        self.sandbox = Sandbox(about["admin"])
        directory = about["token_file"].rpartition("/")[0]
        self.served = Served(about["documents"]["native"], directory, about["ca_file"])
        self.addCleanup(self.served.__exit__)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
        answer = ask(self.served.port, method, path, body, headers)
        self.addCleanup(answer.close)
        return answer

    def test_a_call_leaves_with_the_credential_and_the_lease_lives(self) -> None:
        theirs = {"authorization": "Bearer sk-theirs", "x-api-key": "sk-theirs", "cookie": "session=theirs"}
        for _ in range(3):
            answer = self.ask("GET", "/v1/models", **theirs, **{"x-stainless-lang": "python"})
            self.assertEqual(answer.status, 200)
            self.assertEqual(json.loads(answer.read())["data"][0]["id"], "gpt-5")
        for call in self.sandbox.calls():
            self.assertTrue(digest(call))
            self.assertEqual(header(call, "x-stainless-lang"), "python")
            self.assertEqual([header(call, name) for name in ("x-api-key", "cookie")], [None, None])
        self.assertEqual(len(self.sandbox.digests()), 1)
        self.assertEqual(self.sandbox.exchanges(), 1)

    def test_a_streamed_answer_is_whole(self) -> None:
        answer = self.ask("POST", "/v1/responses", {"model": "sandbox-1", "input": "hello", "stream": True})
        self.assertEqual(answer.headers["content-type"], "text/event-stream; charset=utf-8")
        self.assertIn(b"event: response.completed", answer.read())

    def test_a_revoked_token_is_replaced_and_the_request_sent_once_more(self) -> None:
        self.assertEqual(self.ask("GET", "/v1/models").status, 200)
        self.sandbox.switch("/revoke")
        answer = self.ask("POST", "/v1/responses", {"model": "sandbox-1", "input": "hello"})
        self.assertEqual(answer.status, 200)
        self.assertEqual([call["status"] for call in self.sandbox.calls()], [200, 401, 200])
        self.assertEqual(self.sandbox.exchanges(), 2)

    def test_without_a_credential_the_answer_says_why_and_when_to_come_back(self) -> None:
        self.sandbox.break_exchange()
        answer = self.ask("GET", "/v1/models")
        self.assertEqual(answer.status, 503)
        self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)
        error = json.loads(answer.read())["error"]
        self.assertEqual((error["type"], error["code"]), ("keyless", "endpoint-failed"))
        self.assertEqual(self.sandbox.calls(), [])


class InFrontOfAnApi(unittest.TestCase):
    """One that does what the test says."""

    def setUp(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.addCleanup(self.listener.close)
        port = self.listener.getsockname()[1]
        document = {"api_key": "sk-ours", "api": {"base_url": f"http://127.0.0.1:{port}/v1"}}
        self.served = Served(json.dumps(document))
        self.addCleanup(self.served.__exit__)

    def call(self) -> tuple[socket.socket, bytes]:
        """The next request, with its head."""
        stream, _ = self.listener.accept()
        stream.settimeout(PATIENCE)
        self.addCleanup(stream.close)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += stream.recv(1)
        return stream, head

    def test_each_event_is_there_before_the_next_one_is_sent(self) -> None:
        answers: list[http.client.HTTPResponse] = []
        asking = threading.Thread(target=lambda: answers.append(ask(self.served.port, "GET", "/v1/x")))
        asking.start()
        stream, head = self.call()
        self.assertIn(b"authorization: Bearer sk-ours\r\n", head)
        stream.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        asking.join(PATIENCE)
        for event in (b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"):
            stream.sendall(b"%x\r\n%s\r\n" % (len(event), event))
            self.assertEqual(answers[0].read(len(event)), event)
        stream.sendall(b"0\r\n\r\n")
        self.assertEqual(answers[0].read(), b"")

    def test_an_answer_that_breaks_off_is_not_taken_for_whole(self) -> None:
        answers: list[http.client.HTTPResponse] = []
        asking = threading.Thread(target=lambda: answers.append(ask(self.served.port, "GET", "/v1/x")))
        asking.start()
        stream, _ = self.call()
        stream.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n")
        asking.join(PATIENCE)
        self.assertEqual(answers[0].read(4), b"part")
        stream.close()
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            answers[0].read()

    def test_a_long_request_passes_whole(self) -> None:
        long = bytes(range(256)) * 4_000
        answers: list[http.client.HTTPResponse] = []
        asking = threading.Thread(
            target=lambda: answers.append(ask(self.served.port, "POST", "/v1/x", long))
        )
        asking.start()
        stream, _ = self.call()
        received = b""
        while len(received) < len(long):
            received += stream.recv(65_536)
        self.assertEqual(received, long)
        stream.sendall(
            b"HTTP/1.1 201 Created\r\nconnection: close, x-hop\r\nx-hop: 1\r\nset-cookie: a=b\r\ncontent-length: 2\r\n\r\nok"
        )
        asking.join(PATIENCE)
        self.assertEqual((answers[0].status, answers[0].read()), (201, b"ok"))
        self.assertEqual([answers[0].headers[name] for name in ("x-hop", "set-cookie")], [None, None])


def ask(
    port: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> http.client.HTTPResponse:
    """The answer, once its head is there. A body that is no bytes is JSON."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    # After this answer the connection is the answer's, and closed with it.
    client.request(method, path, content, {"connection": "close", **(headers or {})})
    return client.getresponse()


if __name__ == "__main__":
    unittest.main()
