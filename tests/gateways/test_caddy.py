"""Caddy, asking for each attempt by forward_auth."""

import unittest

from promises import Promises
from stage import SetUp


class ForwardAuth(Promises, unittest.TestCase):
    SET_UP = SetUp("keyless-authz.toml", {"Caddyfile": "Caddyfile"}, ("caddy", "run", "--config", "Caddyfile"))


if __name__ == "__main__":
    unittest.main()
