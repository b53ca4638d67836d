"""Making connections: which address, in how long, with TLS or without. No proxy, whatever the environment says."""

from __future__ import annotations

# Before anything is under way: a host's name would import it when it is first looked up, and a child that is forked at that
# moment would wait for the import's lock for ever.
import encodings.idna
import socket

from . import clock
from .allow import Target, is_link_local, is_local_address
from .deadline import Deadline
from .forks import entered
from .trust import Trust

#: Seconds for a TCP connection, and for one to the next hop: a metadata server answers at once or does not exist.
_CONNECT, _CONNECT_LINK_LOCAL = 5.0, 1.0


class Fault(Exception):
    """Why there is no complete answer: a case of `send-fault`."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


def tcp(target: Target, deadline: Deadline) -> socket.socket:
    """A TCP connection to the host and port of a URL. Raises `Fault` and `TimeoutError`."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Fault("unresolved") from None
    if not target.secure:
        # Plain http was granted because of the name. Whoever controls what it resolves to must not send it elsewhere.
        found = [each for each in found if is_local_address(str(each[4][0]))]
        if not found:
            raise Fault("denied")
    until = clock.monotonic() + (_CONNECT_LINK_LOCAL if is_link_local(target.host) else _CONNECT)
    late = False
    for count, (family, kind, protocol, _, address) in enumerate(found):
        left = min(deadline.left(), until - clock.monotonic())
        if left <= 0:
            raise TimeoutError
        try:
            connection = socket.socket(family, kind, protocol)
        except OSError:
            continue
        try:
            # An address that swallows everything must not use up the time of those behind it.
            connection.settimeout(left / (len(found) - count))
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except TimeoutError:
            late = True
        except OSError:
            late = False
        connection.close()
    if late:
        raise TimeoutError
    raise Fault("unreachable")


def tls(connection: socket.socket, target: Target, trust: Trust) -> socket.socket:
    """A TLS session on it, under the URL's host, before its first step. Raises `ssl.SSLError` and `NoCertificate`."""
    context = trust.context()
    with entered():
        return context.wrap_socket(connection, server_hostname=target.host, do_handshake_on_connect=False)
