"""The comparison must notice what differs, or none of the others prove anything."""

import unittest
from dataclasses import replace
from pathlib import Path

from comparison import Comparison, differences, intended
from wire import Request

FORM = ("content-type", "application/x-www-form-urlencoded")
BODY = b"a=1&b=x+y"
REQUEST = Request("POST", "/token?c=3", [("host", "h"), FORM, ("content-length", str(len(BODY)))], BODY)


def with_body(body: bytes, path: str = REQUEST.path) -> Request:
    return Request("POST", path, [("host", "h"), FORM, ("content-length", str(len(body)))], body)


class Differences(unittest.TestCase):
    def test_whatever_differs_is_noticed(self) -> None:
        other = replace(REQUEST, path="/other")
        for ours, found in (
            ([REQUEST], set()),
            ([replace(REQUEST, headers=[(name.upper(), value) for name, value in REQUEST.headers])], set()),
            ([replace(REQUEST, method="PUT")], {("call only theirs", "POST /token"), ("call only ours", "PUT /token")}),
            ([other], {("call only theirs", "POST /token"), ("call only ours", "POST /other")}),
            ([REQUEST, REQUEST], {("call only ours", "POST /token")}),
            ([other, REQUEST], {("call only ours", "POST /other")}),
            ([replace(REQUEST, headers=[*REQUEST.headers, ("x", "y")])], {("header only ours", "x")}),
            ([replace(REQUEST, headers=REQUEST.headers[1:])], {("header only theirs", "host")}),
            ([replace(REQUEST, headers=[("host", "i"), *REQUEST.headers[1:]])], {("header differs", "host")}),
            ([with_body(b"a=2&b=x+y")], {("parameter differs", "a")}),
            ([with_body(b"a=1")], {("parameter only theirs", "b")}),
            ([with_body(BODY + b"&d=")], {("parameter only ours", "d")}),
            ([with_body(BODY, "/token?c=4")], {("parameter differs", "c")}),
            ([with_body(b"b=x+y&a=1")], {("order of parameters", "POST /token")}),
            ([with_body(b"a=1&b=x%20y")], {("spelling", "body")}),
            ([with_body(BODY, "/token?c=%33")], {("spelling", "query")}),
        ):
            with self.subTest(found=found):
                self.assertEqual(differences([REQUEST], ours), found)
        self.assertEqual(differences([other, REQUEST], [REQUEST]), {("call only theirs", "POST /other")})


class Intended(unittest.TestCase):
    def test_every_peer_of_the_list_is_compared_with(self) -> None:
        unittest.defaultTestLoader.discover(str(Path(__file__).parent))
        classes, peers = [Comparison], set()
        for one in classes:
            classes.extend(one.__subclasses__())
            peers.add(getattr(one, "peer", None))
        self.assertEqual(intended().keys() - peers, set())
