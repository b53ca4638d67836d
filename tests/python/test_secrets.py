"""No secret in what is shown: messages, reprs, logs, tracebacks."""

import io
import logging
import traceback
import unittest
from pathlib import Path

import keyless
from sandbox import Sandbox


class Secrets(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = self.enterContext(Sandbox())
        self.log = io.StringIO()
        handler = logging.StreamHandler(self.log)
        logging.getLogger().addHandler(handler)
        self.addCleanup(logging.getLogger().removeHandler, handler)

    def test_nothing_that_is_shown_holds_one(self) -> None:
        logging.getLogger().setLevel(logging.DEBUG)
        self.addCleanup(logging.getLogger().setLevel, logging.WARNING)
        identity = Path(self.sandbox.about["token_file"]).read_text().strip()
        shown: list[str] = []
        with self.sandbox.open() as connection:
            credential = connection.credential()
            door = keyless.httpx_auth(connection)
            shown += [repr(each) for each in (connection, credential, connection.status(), connection.plan, door)]
            shown += [repr(vars(connection._flight)), repr(connection._flight._keep)]
            self.sandbox.fault("body", status=400, body=f'{{"error":"{identity}"}}')
            connection.reject(1)
            shown.append(repr(connection.attempt()))
            shown.append(str(connection.status()))
        with self.sandbox.open() as connection:
            try:
                connection.token()
            except keyless.Error as error:
                shown += [str(error), repr(error), "".join(traceback.format_exception(error))]
            else:
                self.fail("it was refused")
        shown.append(self.log.getvalue())
        for secret in (credential.token, identity):
            self.assertFalse([text for text in shown if secret in text or secret[10:30] in text])

    def test_a_document_with_a_key_is_not_quoted(self) -> None:
        shown = []
        for document in (
            '{"api_key":"canary"',
            '{"api_key":["canary"]}',
            "openai://:canary@/?timeout=canary%",
            "canary canary",
        ):
            try:
                with keyless.open(document, variables={}) as connection:
                    shown.append(repr(connection) + repr(connection.plan) + repr(connection.credential()))
            except keyless.Error as error:
                shown += [str(error), "".join(traceback.format_exception(error))]
        for text in shown:
            # The line of this test that opened it is part of a traceback.
            self.assertNotIn("canary", "\n".join(line for line in text.splitlines() if "canary canary" not in line))

    def test_a_connection_is_not_pickled(self) -> None:
        import pickle

        with self.sandbox.open() as connection, self.assertRaises(TypeError):
            pickle.dumps(connection)
