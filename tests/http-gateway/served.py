"""The gateway in jco: started as a person would start it, ended with the block."""

import json
import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
KEYLESS = os.environ["KEYLESS"]
GATEWAY = Path(os.environ["KEYLESS_COMPONENTS"]) / "keyless-gateway.wasm"

# Nothing in these tests takes this long.
PATIENCE = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Group:
    """A program and its children, all of which are ended: jco leaves its own behind."""

    def __init__(self, command: list[str], **settings: Any) -> None:
        self.process = subprocess.Popen(command, text=True, start_new_session=True, **settings)

    def end(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.communicate(timeout=PATIENCE)


class Served:
    """What jco answers on `port`, with this document."""

    def __init__(self, document: str, directory: str | None = None, ca: str | None = None, **variables: str) -> None:
        self.port = free_port()
        environment = {**os.environ, "KEYLESS_CONNECTION": document, **variables}
        if ca is not None:
            environment["NODE_EXTRA_CA_CERTS"] = ca
        command = [str(HERE / "node_modules/.bin/jco"), "serve", "--host", "127.0.0.1", "--port", str(self.port)]
        self._granting = tempfile.TemporaryDirectory(prefix=".granting-", dir=HERE)
        if directory is not None:
            # Below this folder, so that the import finds what is installed here.
            grant = Path(self._granting.name) / "grant.mjs"
            named = json.dumps(directory)
            grant.write_text(
                'import { _addPreopen } from "@bytecodealliance/preview2-shim/filesystem";\n'
                f"_addPreopen({named}, {named});\n"
            )
            command += ["--jco-import", str(grant)]
        self._jco = Group([*command, str(GATEWAY)], env=environment, stderr=subprocess.PIPE)
        assert self._jco.process.stderr is not None
        said = self._jco.process.stderr.readline()
        if not said.startswith("Server listening"):
            rest = self._jco.process.stderr.read()
            self.__exit__()
            raise AssertionError(f"jco does not serve: {said}{rest}")

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        self._jco.end()
        self._granting.cleanup()
