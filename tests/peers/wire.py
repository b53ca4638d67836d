"""Parties on loopback that write down what arrives, so that two clients' requests can be compared."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Request:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    # Of the client, where the party demands one. DER.
    certificate: bytes | None = None

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def endpoint(self) -> str:
        """Method and path, without the query."""
        return f"{self.method} {urlsplit(self.path).path}"

    @property
    def query(self) -> str:
        return urlsplit(self.path).query

    def parameters(self) -> list[tuple[str, str]]:
        """Those of the query and of the body, a JSON object or a form, in their order."""
        parameters = parse_qsl(self.query, keep_blank_values=True, strict_parsing=bool(self.query))
        if (self.header("content-type") or "").startswith("application/json"):
            return parameters + json.loads(self.body, object_pairs_hook=list)
        return parameters + parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=bool(self.body))


@dataclass
class Answer:
    """What a party says: JSON, or a text as it stands."""

    content: object
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    def body(self) -> bytes:
        return (self.content if isinstance(self.content, str) else json.dumps(self.content)).encode()


class Party:
    """Answers every request as it was told, on 127.0.0.1, from the start of the block to its end."""

    def __init__(self, answer: Callable[[Request], Answer], tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                shown = self.connection.getpeercert(binary_form=True) if tls is not None else None
                request = Request(self.command, self.path, list(self.headers.items()), body, shown)
                outer.requests.append(request)
                given = answer(request)
                self.send_response(given.status)
                for name, value in given.headers:
                    self.send_header(name, value)
                if not any(name.lower() == "content-type" for name, _ in given.headers):
                    self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(given.body())))
                self.end_headers()
                self.wfile.write(given.body())

            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        # Looks often for the end of the block, so that nobody waits for it.
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def root(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> "Party":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class TokenEndpoint(Party):
    """Grants every exchange, so that only the request is under test."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(lambda _: GRANTED, tls)

    @property
    def url(self) -> str:
        return f"{self.root}/oauth/token"


GRANTED = Answer(
    {
        "access_token": "granted",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": 3600,
    }
)


def identity_token(audience: str = "https://api.openai.com/v1") -> str:
    """A token in the form of a kubelet's. Nobody here checks its signature."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    now = int(time.time())
    claims = {
        "iss": "https://kubernetes.example",
        "aud": [audience],
        "sub": "system:serviceaccount:default:app",
        "iat": now,
        "exp": now + 3600,
    }
    return ".".join([part({"alg": "ES256", "kid": "1"}), part(claims), part("signature")])
