"""Every document as the real Airflow reads it, against the same document as Keyless reads it.

Where the two differ, a rule of differences.json has to say so, and every rule has to be needed.
"""

import json
import tempfile
import unittest
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from documents import Document
from generated import generated
from ours import Keyless
from reading import Reading
from theirs import Airflow
from written import written

RULES = {entry["rule"]: entry for entry in json.loads(Path(__file__).with_name("differences.json").read_text())}
# So that agreement is never agreement on refusing everything.
AT_LEAST_ACCEPTED = 400


class Differential(unittest.TestCase):
    maxDiff = None

    def test_airflow_and_keyless_read_every_document_alike(self) -> None:
        used: set[tuple[str, str]] = set()
        accepted = 0
        for document, theirs, ours in read_all([*written(), *generated()]):
            with self.subTest(document=document.text, variables=document.variables):
                accepted += theirs.accepted and ours.accepted
                way = difference(theirs, ours)
                if way is None:
                    self.assertFalse(document.shows, f"no difference any more: {sorted(document.rules)}")
                    continue
                rule = listed(document, way, theirs, ours)
                if rule is None:
                    self.fail(f"{way}, and no rule says so\nAirflow: {theirs}\nKeyless: {ours}")
                used.add((rule, way))
        with self.subTest("every rule is needed"):
            self.assertEqual(used, {(name, way) for name, rule in RULES.items() for way in rule["ways"]})
        self.assertGreaterEqual(accepted, AT_LEAST_ACCEPTED)


def read_all(documents: list[Document]) -> Iterator[tuple[Document, Reading, Reading]]:
    """Each document with both readings."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        keyless = Keyless(Path(folder))
        ours = pool.map(lambda document: keyless.read(document.text, document.variables), documents)
        airflow = Airflow(Path(folder))
        for document, reading in zip(documents, ours, strict=True):
            yield document, airflow.read(document.text, document.variables), reading


def difference(theirs: Reading, ours: Reading) -> str | None:
    """In which of three ways they differ, if they do."""
    if theirs.accepted and ours.accepted:
        return "different" if theirs.differs_from(ours) else None
    if theirs.accepted:
        return "stricter"
    return "lenient" if ours.accepted else None


def listed(document: Document, way: str, theirs: Reading, ours: Reading) -> str | None:
    """The rule that allows it."""
    for name in sorted(document.rules):
        rule = RULES[name]
        if way not in rule["ways"]:
            continue
        if way == "stricter" and ours.code not in rule["codes"]:
            continue
        if way == "different" and not set(theirs.differs_from(ours)) <= set(rule["settings"]):
            continue
        return name
    return None


if __name__ == "__main__":
    unittest.main()
