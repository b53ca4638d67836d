"""HAProxy: asking for each attempt by a Lua action, and in front of the proxy listener."""

import unittest

from promises import Promises
from stage import SetUp


class Lua(Promises, unittest.TestCase):
    SET_UP = SetUp(
        "keyless-authz.toml",
        {"haproxy.cfg": "haproxy.cfg", "haproxy.lua": "keyless.lua"},
        ("haproxy", "-f", "haproxy.cfg"),
    )


class ProxyListener(Promises, unittest.TestCase):
    SET_UP = SetUp("keyless-proxy.toml", {"haproxy-proxy.cfg": "haproxy.cfg"}, ("haproxy", "-f", "haproxy.cfg"))


if __name__ == "__main__":
    unittest.main()
