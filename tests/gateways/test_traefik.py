"""Traefik, in front of the proxy listener."""

import http.client
import unittest

from promises import Promises
from stage import GATEWAY, SetUp, Stage, accepts


def routed(stage: Stage) -> bool:
    """Traefik accepts before it has its routes, and answers 404 by itself until then. Keyless answers in JSON."""
    port = stage.ports[GATEWAY]
    if not accepts(port):
        return False
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/")
        return connection.getresponse().headers.get_content_type() == "application/json"
    finally:
        connection.close()


class ProxyListener(Promises, unittest.TestCase):
    SET_UP = SetUp(
        "keyless-proxy-tcp.toml",
        {"traefik.yaml": "traefik.yaml", "traefik-keyless.yaml": "keyless.yaml"},
        ("traefik", "--configFile=traefik.yaml"),
        routed,
    )


if __name__ == "__main__":
    unittest.main()
