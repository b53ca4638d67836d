"""What a request may not do: leave the grant, follow a redirect, use a proxy, outlive its deadline, trust anybody."""

import os
import socket
import ssl
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

from keyless import ClientCertificate, Endpoint, InvalidError
from keyless.allow import AllowList
from keyless.sender import Sending
from keyless.trust import Trust
from party import Behaviour, Party, answering, request_of

# Last, because its other modules are not meant.
sys.path.append(str(Path(__file__).parents[1] / "peers"))
from authority import Authority  # noqa: E402

HELLO = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX-Case: Kept\r\n\r\nhello"


def send(
    url: str, *, granted: str | None = None, trust: Trust | None = None, timeout: int = 10_000, **more: object
) -> object:
    """The outcome: the record `response`, or the name of the fault."""
    request = {"method": "POST", "url": url, "headers": [], "body": b"x=1", "timeout-ms": timeout, "response-limit": 64}
    allowed = AllowList([Endpoint("POST", (granted or url).partition("?")[0])])
    outcome = Sending({**request, **more}, allowed, trust or Trust(None, None)).run()
    return outcome["ok"] if "ok" in outcome else outcome["err"]


def asked(behave: Behaviour, **more: object) -> object:
    with Party(behave) as party:
        return send(f"http://127.0.0.1:{party.port}/token", **more)  # type: ignore[arg-type]


class Network(unittest.TestCase):
    def test_a_whole_answer(self) -> None:
        answer = {
            "status": 200,
            "headers": [{"name": "content-length", "value": "5"}, {"name": "x-case", "value": "Kept"}],
        }
        self.assertEqual(asked(answering(HELLO)), {**answer, "body": b"hello"})

    def test_the_request_is_as_it_was_given(self) -> None:
        seen: list[bytes] = []

        def behave(connection: socket.socket) -> None:
            seen.append(request_of(connection))
            connection.sendall(HELLO)

        with Party(behave) as party:
            headers = [{"name": "content-type", "value": "text/plain"}, {"name": "accept-encoding", "value": "gzip"}]
            send(f"http://127.0.0.1:{party.port}/token?q=/a", headers=headers)
            send(f"http://127.0.0.1:{party.port}?q=/a", body=b"")
        host = f"host: 127.0.0.1:{party.port}\r\n"
        expected = f"POST /token?q=/a HTTP/1.1\r\n{host}content-type: text/plain\r\ncontent-length: 3\r\nconnection: close\r\n\r\nx=1"
        self.assertEqual(seen[0].decode(), expected)
        self.assertEqual(
            seen[1].decode(), f"POST /?q=/a HTTP/1.1\r\n{host}content-length: 0\r\nconnection: close\r\n\r\n"
        )

    def test_what_is_not_granted_gets_no_connection(self) -> None:
        with Party(answering(HELLO)) as party:
            origin = f"http://127.0.0.1:{party.port}"
            self.assertEqual(send(f"{origin}/other", granted=f"{origin}/token"), "denied")
            self.assertEqual(send(f"{origin}/token", granted=f"{origin}/token", method="GET"), "denied")
            self.assertEqual(party.connections, 0)

    def test_a_name_that_leads_elsewhere_gets_no_plain_connection(self) -> None:
        elsewhere = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80))]
        with mock.patch("socket.getaddrinfo", return_value=elsewhere):
            self.assertEqual(send("http://localhost:80/token"), "denied")

    def test_a_redirect_is_an_answer(self) -> None:
        with Party(answering(HELLO)) as elsewhere:
            moved = f"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:{elsewhere.port}/\r\ncontent-length: 0\r\n\r\n"
            answer = asked(answering(moved.encode()))
            assert isinstance(answer, dict)
            self.assertEqual(answer["status"], 307)
            self.assertEqual(elsewhere.connections, 0)

    def test_proxies_of_the_environment_are_not_used(self) -> None:
        with Party(answering(HELLO)) as proxy:
            names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
            with mock.patch.dict(os.environ, {name: f"http://127.0.0.1:{proxy.port}" for name in names}):
                self.assertIsInstance(asked(answering(HELLO)), dict)
            self.assertEqual(proxy.connections, 0)

    def test_neither_a_stall_nor_a_drip_stretches_the_deadline(self) -> None:
        def stall(connection: socket.socket) -> None:
            request_of(connection)
            connection.recv(1)

        def drip(connection: socket.socket, head: bytes) -> None:
            request_of(connection)
            connection.sendall(head)
            over = threading.Event()
            while not over.wait(0.02):
                connection.sendall(b"a")

        body = b"HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n"
        chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        self.assertEqual(asked(stall, timeout=300), "timed-out")
        for begun in (b"", b"HTTP/1.1 200 OK\r\nx: ", body, chunked):
            # 60 bytes at 50 a second: more than the deadline, less than a pause that a socket would wait for.
            self.assertEqual(asked(lambda c, head=begun: drip(c, head), timeout=500), "timed-out", begun)

    def test_a_stalled_handshake_ends_at_the_deadline(self) -> None:
        def silent(connection: socket.socket) -> None:
            while connection.recv(65536):
                continue

        with Party(silent) as party:
            self.assertEqual(send(f"https://127.0.0.1:{party.port}/", timeout=300), "timed-out")

    def test_what_is_too_large(self) -> None:
        def sized(size: int) -> bytes:
            return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"a" * size

        self.assertEqual(asked(answering(sized(65))), "too-large")
        self.assertIsInstance(asked(answering(sized(64))), dict)
        pieces = b"10\r\n" + b"a" * 16 + b"\r\n"
        chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        self.assertEqual(asked(answering(chunked + pieces * 5)), "too-large")
        self.assertIsInstance(asked(answering(chunked + pieces * 4 + b"0\r\n\r\n")), dict)

    def test_what_breaks(self) -> None:
        for answer in (
            b"",
            b"nonsense\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
            b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000 + b"\r\n",
        ):
            self.assertEqual(asked(answering(answer)), "broken", answer[:60])

    def test_an_interim_answer_is_passed_over(self) -> None:
        answer = asked(answering(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + HELLO))
        assert isinstance(answer, dict)
        self.assertEqual((answer["status"], answer["body"]), (200, b"hello"))

    def test_nobody_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        self.assertEqual(send(f"http://127.0.0.1:{port}/"), "unreachable")
        self.assertEqual(send("https://keyless.invalid/"), "unresolved")


class Trusted(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.authority = Authority(self.folder, "localhost")

    def asked(self, trust: Trust, host: str = "localhost") -> object:
        with Party(answering(HELLO), self.authority.context) as party:
            return send(f"https://{host}:{party.port}/token", trust=trust)

    def test_only_who_is_trusted_under_this_name(self) -> None:
        self.assertEqual(self.asked(Trust(None, None)), "untrusted")
        self.assertIsInstance(self.asked(Trust(self.authority.ca, None)), dict)
        self.assertEqual(self.asked(Trust(self.authority.ca, None), "127.0.0.1"), "untrusted")

    def test_session_keys_are_written_nowhere(self) -> None:
        log = self.folder / "keys"
        with mock.patch.dict(os.environ, {"SSLKEYLOGFILE": str(log)}):
            self.assertIsInstance(self.asked(Trust(self.authority.ca, None)), dict)
        self.assertFalse(log.exists())

    def test_the_client_certificate_is_presented_and_read_anew(self) -> None:
        certificate, key = self.authority.demand_certificates()
        self.assertIn(self.asked(Trust(self.authority.ca, None)), ("untrusted", "broken"))
        presented = ClientCertificate(str(self.folder / "now.crt"), str(self.folder / "now.key"))
        trust = Trust(self.authority.ca, presented)
        self.assertEqual(self.asked(trust), "no-certificate")
        (self.folder / "now.crt").write_bytes(certificate.read_bytes())
        (self.folder / "now.key").write_bytes(key.read_bytes())
        self.assertIsInstance(self.asked(trust), dict)
        (self.folder / "now.key").write_text("no key")
        self.assertEqual(self.asked(trust), "no-certificate")

    def test_a_file_without_a_certificate_is_refused(self) -> None:
        empty = self.folder / "empty.pem"
        empty.write_text("nothing")
        for path in (empty, self.folder / "missing.pem", self.folder):
            with self.assertRaises(InvalidError) as refused:
                Trust(path, None)
            self.assertEqual(refused.exception.code, "ca-certificates-invalid")

    def test_tls_older_than_1_2_is_not_spoken(self) -> None:
        context = Trust(self.authority.ca, None).context()
        self.assertGreaterEqual(context.minimum_version, ssl.TLSVersion.TLSv1_2)
