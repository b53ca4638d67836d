"""Sending one request and collecting the answer, within one deadline. What is not granted gets no connection."""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
from typing import Any

from . import dial
from .allow import AllowList, Target, spoken, target_of
from .deadline import Deadline, Stream
from .forks import entered
from .trust import NoCertificate, Trust

_log = logging.getLogger("keyless")
_PIECE = 16 * 1024
#: Not the engine's to decide: nothing here decompresses, and these follow from the body and the URL.
_OURS = frozenset({"accept-encoding", "content-length", "connection", "host", "transfer-encoding"})


class Sending:
    """One request on its way. `request` is the record of that name."""

    def __init__(self, request: dict[str, Any], allowed: AllowList, trust: Trust) -> None:
        self._request = request
        self._trust = trust
        self._target = target_of(request["method"], request["url"])
        self._allowed = self._target is not None and allowed.permits(request["method"], request["url"])
        self._connection: socket.socket | None = None
        self._cut = False
        self.deadline = Deadline(request["timeout-ms"] / 1000)

    @property
    def granted(self) -> bool:
        """Whether it may be sent at all."""
        if not self._allowed:
            # The query is left out: some endpoints take secrets in it.
            _log.warning("request refused: %s %s is not granted", self._request["method"], self._place())
        return self._allowed

    def cut(self) -> None:
        """From another thread: the answer is no longer wanted."""
        self._cut = True
        connection = self._connection
        if connection is not None:
            try:
                # Not the method of TLS, which gives up encryption: the plain one, which wakes whoever reads.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                return

    def run(self) -> dict[str, Any]:
        """Sends it and waits: `{"ok": response}` or `{"err": send-fault}`."""
        target = self._target
        if target is None or not self._allowed:
            return {"err": "denied"}
        try:
            return {"ok": self._answer(target)}
        except dial.Fault as reason:
            return {"err": reason.fault}
        except TimeoutError:
            return {"err": "timed-out"}
        except NoCertificate:
            return {"err": "no-certificate"}
        except ssl.SSLEOFError:
            return {"err": "broken"}
        except ssl.SSLError:
            return {"err": "untrusted"}
        except (OSError, http.client.HTTPException, ValueError):
            return {"err": "broken"}
        finally:
            if self._connection is not None:
                with entered():
                    self._connection.close()

    def _answer(self, target: Target) -> dict[str, Any]:
        self._connection = dial.tcp(target, self.deadline)
        if target.secure:
            self._connection = dial.tls(self._connection, target, self._trust)
        if self._cut:
            raise TimeoutError
        stream = Stream(self._connection, self.deadline)
        stream.shake_hands()
        stream.send(self._bytes())
        answer = self._head(stream)
        body = _body(answer, self._request["response-limit"])
        headers = [{"name": name.lower(), "value": value} for name, value in answer.getheaders()]
        return {"status": answer.status, "headers": headers, "body": body}

    def _head(self, stream: Stream) -> http.client.HTTPResponse:
        while True:
            # It wants a socket only to read from.
            answer = http.client.HTTPResponse(stream, method=self._request["method"])  # type: ignore[arg-type]
            answer.begin()
            if not 100 <= answer.status < 200:
                return answer
            # Taken away: what goes would close what the next is read from.
            answer.fp = None  # type: ignore[assignment]

    def _bytes(self) -> bytes:
        request = self._request
        authority, path = spoken(request["url"])
        lines = [f"{request['method']} {path} HTTP/1.1", f"host: {authority}"]
        lines += [
            f"{header['name']}: {header['value']}"
            for header in request["headers"]
            if header["name"].lower() not in _OURS
        ]
        told = any(header["name"].lower() == "content-length" for header in request["headers"])
        if told or request["body"] or request["method"] in ("POST", "PUT"):
            lines.append(f"content-length: {len(request['body'])}")
        # Each request has a connection of its own: an hour lies between two of them.
        lines += ["connection: close", "", ""]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a line break within a header")
        return "\r\n".join(lines).encode("latin-1") + bytes(request["body"])

    def _place(self) -> str:
        target = self._target
        return f"{target.host}{target.path}" if target else "a URL that is not valid"


def _body(answer: http.client.HTTPResponse, limit: int) -> bytes:
    """Without its transfer coding; nothing else is decoded."""
    body = bytearray()
    while piece := answer.read(min(_PIECE, limit + 1 - len(body))):
        body += piece
        if len(body) > limit:
            raise dial.Fault("too-large")
    if answer.length:
        # Less than its content-length came.
        raise dial.Fault("broken")
    return bytes(body)
