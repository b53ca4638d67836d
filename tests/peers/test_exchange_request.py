"""The exchange as the component sends it, against the exchange as OpenAI's own client sends it."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from openai.auth import WorkloadIdentity, k8s_service_account_token_provider
from openai.auth._workload import WorkloadIdentityAuth

from wire import TokenEndpoint, identity_token

KEYLESS = os.environ["KEYLESS"]
IDS = {"identity_provider_id": "idp_peer", "service_account_id": "svc_acct_peer"}


class ExchangeRequest(unittest.TestCase):
    def test_the_request_is_the_official_clients(self) -> None:
        for token_type in ("jwt", "id"):
            for around in ("", "\n", "  \r\n"):
                with self.subTest(token_type=token_type, around=around):
                    self.compare(token_type, identity_token() + around)

    def compare(self, token_type: str, content: str) -> None:
        with tempfile.TemporaryDirectory() as folder, TokenEndpoint() as endpoint:
            token_file = Path(folder) / "token"
            token_file.write_text(content, newline="")
            official(token_type, token_file, endpoint.url)
            ours(token_type, token_file, endpoint.url)
            self.assertEqual(len(endpoint.requests), 2, "one exchange each")
            theirs, mine = endpoint.requests
            self.assertEqual((mine.method, mine.path), (theirs.method, theirs.path))
            self.assertEqual(mine.fields(), theirs.fields(), "same fields, same values, same order")
            self.assertEqual(mine.body, theirs.body, "to the byte")
            for name in ("host", "content-type", "content-length"):
                self.assertEqual(mine.header(name), theirs.header(name), name)
            self.assertEqual(mine.header("content-length"), str(len(mine.body)))
            # What the official client's HTTP library adds of its own is not part of the protocol, and is left out.
            self.assertEqual(
                sorted(name.lower() for name, _ in mine.headers), ["content-length", "content-type", "host"]
            )


def official(token_type: str, token_file: Path, url: str) -> None:
    provider = k8s_service_account_token_provider(token_file)
    identity: WorkloadIdentity = {**IDS, "provider": {**provider, "token_type": token_type}}
    token = WorkloadIdentityAuth(workload_identity=identity, token_exchange_url=url).get_token()
    assert token == "granted", token


def ours(token_type: str, token_file: Path, url: str) -> None:
    document = {
        "source": {"type": "kubernetes", "token_file_path": str(token_file)},
        "exchange": {"type": "openai", **IDS, "token_type": token_type, "token_endpoint": url},
    }
    command = [KEYLESS, "token", "--connection", json.dumps(document)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "granted\n"), result


if __name__ == "__main__":
    unittest.main()
