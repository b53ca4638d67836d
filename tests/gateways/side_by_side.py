"""Runs all tests, several classes of them at a time: they wait more than they work."""

import subprocess
import sys
import unittest
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

AT_A_TIME = 4


def classes(suite: unittest.TestSuite) -> Iterator[str]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from classes(test)
        else:
            # Of a module that cannot be loaded this is the fault itself, which comes out when it is run.
            yield ".".join(test.id().split(".")[:-1]) if "_FailedTest" not in test.id() else test.id().split(".")[-1]


def run(name: str) -> bool:
    command = [sys.executable, "-m", "unittest", "--verbose", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout, flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    names = list(dict.fromkeys(classes(unittest.defaultTestLoader.discover("."))))
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        outcomes = dict(zip(names, pool.map(run, names), strict=True))
    failed = [name for name, passed in outcomes.items() if not passed]
    print(f"{len(names)} set-ups and page tests; failed: {', '.join(failed) or 'none'}")
    sys.exit(bool(failed))
