"""Loopback instead of the rest of the world, for the Python clients under test: only the connection goes elsewhere, and
they notice nothing."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from unittest import mock


@contextmanager
def redirected(instead_of: Mapping[tuple[str, int], int], variables: Mapping[str, str]) -> Iterator[None]:
    """In the block, a party on loopback, known by its port, stands `instead_of` a host and its port, and no other host has
    an address. The environment holds `variables` alone."""
    real = socket.getaddrinfo

    def looked_up(host: object, port: object, *rest: object, **more: object) -> list[tuple]:
        name = host.decode() if isinstance(host, bytes) else str(host)
        there = instead_of.get((name, int(port or 0)))
        if there is None and name not in ("127.0.0.1", "localhost"):
            raise socket.gaierror(f"{name}:{port} is not to be reached from a test")
        return real("127.0.0.1", there or port, *rest, **more)

    with mock.patch("socket.getaddrinfo", looked_up), mock.patch.dict(os.environ, {**variables, "NO_PROXY": "*"}, clear=True):
        yield
