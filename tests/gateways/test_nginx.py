"""nginx: asking for each request (auth_request), and in front of the proxy listener."""

import unittest

from promises import Promises
from stage import SetUp

COMMAND = ("nginx", "-p", ".", "-c", "nginx.conf", "-e", "stderr")


class AuthRequest(Promises, unittest.TestCase):
    SET_UP = SetUp("keyless-authz.toml", {"nginx.conf": "nginx.conf", "nginx-authz.conf": "keyless.conf"}, COMMAND)
    # nginx has no other word for an auth_request that says neither yes nor no.
    UNAVAILABLE = 500


class ProxyListener(Promises, unittest.TestCase):
    SET_UP = SetUp("keyless-proxy.toml", {"nginx.conf": "nginx.conf", "nginx-proxy.conf": "keyless.conf"}, COMMAND)


if __name__ == "__main__":
    unittest.main()
