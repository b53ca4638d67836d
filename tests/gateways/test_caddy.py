"""Caddy: asking for each attempt (forward_auth), and in front of the proxy listener."""

import unittest

from promises import Promises
from stage import SetUp, Stage

COMMAND = ("caddy", "run", "--config", "Caddyfile")


def serves(stage: Stage) -> bool:
    """Caddy opens one site after the other."""
    return "serving initial configuration" in stage.gateway.said()


class ForwardAuth(Promises, unittest.TestCase):
    SET_UP = SetUp("keyless-authz.toml", {"Caddyfile": "Caddyfile"}, COMMAND, serves)


class ProxyListener(Promises, unittest.TestCase):
    SET_UP = SetUp("keyless-proxy.toml", {"Caddyfile-proxy": "Caddyfile"}, COMMAND, serves)


if __name__ == "__main__":
    unittest.main()
