"""Caddy: asking for each attempt (forward_auth), and in front of the proxy listener."""

import unittest

from promises import Promises
from stage import SetUp

COMMAND = ("caddy", "run", "--config", "Caddyfile")


class ForwardAuth(Promises, unittest.TestCase):
    SET_UP = SetUp("keyless-authz.toml", {"Caddyfile": "Caddyfile"}, COMMAND)


class ProxyListener(Promises, unittest.TestCase):
    SET_UP = SetUp("keyless-proxy.toml", {"Caddyfile-proxy": "Caddyfile"}, COMMAND)


if __name__ == "__main__":
    unittest.main()
