"""A client that has no key, as any program would be that speaks to the gateway."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

# Enough words that a stream takes two seconds: the sandbox pauses for 20 ms between two.
QUESTION = "one two three four five six seven eight nine ten " * 4


@dataclass
class Answer:
    """One answer, with the moment at which each piece of it came."""

    status: int
    headers: list[tuple[str, str]]
    pieces: list[tuple[float, bytes]] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known.lower() == name), None)

    def events(self) -> list[str]:
        """The names of a stream's events."""
        lines = self.body.decode().splitlines()
        return [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]

    def everything(self) -> str:
        """All that the client got."""
        return "\n".join([*(f"{name}: {value}" for name, value in self.headers), self.body.decode(errors="replace")])


class Client:
    """Speaks HTTP/1.1 to a port on loopback, a connection per request, and remembers what it got."""

    def __init__(self, port: int, patience: float = 60) -> None:
        self._port = port
        self._patience = patience
        self.answers: list[Answer] = []

    def models(self, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("GET", "/v1/models", None, headers)

    def stream(self, question: str = QUESTION, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("POST", "/v1/responses", {"model": "sandbox-1", "input": question, "stream": True}, headers)

    def ask(self, question: str = QUESTION) -> Answer:
        return self.request("POST", "/v1/responses", {"model": "sandbox-1", "input": question}, None)

    def ask_at_length(self) -> Answer:
        """40 KiB."""
        return self.ask("word " * 8_192)

    def request(self, method: str, path: str, body: object, headers: Mapping[str, str] | None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._patience)
        try:
            content = None if body is None else json.dumps(body).encode()
            kind = {} if body is None else {"content-type": "application/json"}
            connection.request(method, path, content, {**kind, **(headers or {})})
            response = connection.getresponse()
            answer = Answer(response.status, response.getheaders())
            self.answers.append(answer)
            while piece := response.read1():
                answer.pieces.append((time.monotonic(), piece))
            return answer
        finally:
            connection.close()
