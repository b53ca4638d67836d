"""A token endpoint on loopback that writes down what arrives."""

import base64
import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    def fields(self) -> list[tuple[str, object]]:
        """The fields of the JSON body, in their order."""
        return json.loads(self.body, object_pairs_hook=list)


class TokenEndpoint:
    """Grants every exchange, so that only the request is under test."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.requests.append(Request(self.command, self.path, list(self.headers.items()), body))
                answer = json.dumps(
                    {
                        "access_token": "granted",
                        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                        "token_type": "Bearer",
                        "expires_in": 3600,
                    }
                ).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/oauth/token"

    def __enter__(self) -> "TokenEndpoint":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def identity_token() -> str:
    """A token in the form of a kubelet's. Nobody here checks its signature."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    now = int(time.time())
    claims = {
        "iss": "https://kubernetes.example",
        "aud": ["https://api.openai.com/v1"],
        "sub": "system:serviceaccount:default:app",
        "iat": now,
        "exp": now + 3600,
    }
    return ".".join([part({"alg": "ES256", "kid": "1"}), part(claims), part("signature")])
