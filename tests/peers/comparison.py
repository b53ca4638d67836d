"""What two clients send for the same purpose, part by part. A difference is a failure, or stands in `intended.txt`."""

import unittest
from collections import defaultdict
from pathlib import Path

from wire import Request

INTENDED = Path(__file__).with_name("intended.txt")

# What differs, and where: ("header only theirs", "user-agent").
Difference = tuple[str, str]


class Comparison(unittest.TestCase):
    """The tests of one class compare with one peer. Together they have to find the differences that are intended: no
    other, and each of them."""

    peer: str
    found: set[Difference]

    @classmethod
    def setUpClass(cls) -> None:
        cls.found = set()

    def compare(self, theirs: list[Request], ours: list[Request]) -> None:
        """Both asked for the same, one after the other, as in `theirs` and `ours`."""
        self.assertTrue(theirs and ours, "both have asked")
        found = differences(theirs, ours)
        unexpected = found - intended().get(self.peer, set())
        self.assertEqual(unexpected, set(), f"{theirs}\n{ours}")
        self.found |= found

    @classmethod
    def tearDownClass(cls) -> None:
        unused = intended().get(cls.peer, set()) - cls.found
        assert not unused, f"{INTENDED.name} names what does not differ from {cls.peer}: {sorted(unused)}"


def differences(theirs: list[Request], ours: list[Request]) -> set[Difference]:
    """Calls of the same method and path are compared with each other, in their order."""
    found: set[Difference] = set()
    rest = list(ours)
    for their in theirs:
        our = next((our for our in rest if our.endpoint == their.endpoint), None)
        if our is None:
            found.add(("call only theirs", their.endpoint))
        else:
            # What comes before it has no counterpart, or has one in another order.
            found |= {("call only ours", rest.pop(0).endpoint) for _ in range(rest.index(our))}
            rest.pop(0)
            found |= of_one(their, our)
    return found | {("call only ours", our.endpoint) for our in rest}


def of_one(their: Request, our: Request) -> set[Difference]:
    def headers(request: Request) -> dict[str, str]:
        names = [name.lower() for name, _ in request.headers]
        assert len(names) == len(set(names)), f"a header comes twice: {names}"
        return {name.lower(): value for name, value in request.headers}

    theirs, mine = their.parameters(), our.parameters()
    for parameters in (theirs, mine):
        assert len(parameters) == len(dict(parameters)), f"a parameter comes twice: {parameters}"
    found = of_two("parameter", dict(theirs), dict(mine))
    common = [[name for name, _ in some if name in dict(other)] for some, other in ((theirs, mine), (mine, theirs))]
    if common[0] != common[1]:
        found.add(("order of parameters", their.endpoint))
    elif not found:
        # The same is said: it should also be spelt the same.
        found |= {
            ("spelling", part)
            for part, spelt in (("query", (their.query, our.query)), ("body", (their.body, our.body)))
            if spelt[0] != spelt[1]
        }
    # Says how long the body is, and the bodies are compared.
    assert headers(our).get("content-length", "0") == str(len(our.body))
    by_name = [{**headers(request), "content-length": "compared"} for request in (their, our)]
    return found | of_two("header", *by_name)


def of_two(what: str, theirs: dict[str, str], ours: dict[str, str]) -> set[Difference]:
    return (
        {(f"{what} only theirs", name) for name in theirs.keys() - ours.keys()}
        | {(f"{what} only ours", name) for name in ours.keys() - theirs.keys()}
        | {(f"{what} differs", name) for name in theirs.keys() & ours.keys() if theirs[name] != ours[name]}
    )


def intended() -> dict[str, set[Difference]]:
    """By peer. The file explains its form."""
    peers: dict[str, set[Difference]] = defaultdict(set)
    peer = ""
    reasoned = True
    for line in INTENDED.read_text().splitlines():
        text = line.strip()
        depth = len(line) - len(line.lstrip())
        if not text or text.startswith("#"):
            continue
        if depth == 0:
            assert reasoned and text not in peers, f"{text}: stands there twice, or follows what has no reason"
            peer = text
        elif depth == 4:
            assert reasoned, f"{peer}: no reason before {text!r}"
            kind, names = text.split(": ", 1)
            new = {(kind, name) for name in names.split(", ")}
            assert not new & peers[peer], f"{peer}: {text!r} stands there twice"
            peers[peer] |= new
            reasoned = False
        else:
            assert depth == 8 and peers[peer], f"{peer}: {text!r} is a reason for nothing"
            reasoned = True
    assert reasoned, f"{peer}: the last line has no reason"
    return dict(peers)
