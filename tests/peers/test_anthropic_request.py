"""The exchange as the component sends it to Anthropic, against the exchange as Anthropic's own client sends it."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from anthropic.lib.credentials import IdentityTokenFile, WorkloadIdentityCredentials

from wire import TokenEndpoint, identity_token

KEYLESS = os.environ["KEYLESS"]
IDS = {"federation_rule_id": "fdrl_peer", "organization_id": "00000000-0000-0000-0000-000000000001"}
PATH = "/v1/oauth/token"


class AnthropicRequest(unittest.TestCase):
    def test_the_request_is_the_official_clients(self) -> None:
        for optional in (
            {},
            {"service_account_id": "svac_peer"},
            {"workspace_id": "default"},
            {"service_account_id": "svac_peer", "workspace_id": "wrkspc_peer"},
        ):
            with self.subTest(**optional):
                self.compare({**IDS, **optional})

    def compare(self, ids: dict[str, str]) -> None:
        with tempfile.TemporaryDirectory() as folder, TokenEndpoint() as endpoint:
            token_file = Path(folder) / "token"
            token_file.write_text(identity_token() + "\n")
            base = endpoint.url.removesuffix("/oauth/token")
            official(ids, token_file, base)
            ours(ids, token_file, base + PATH)
            self.assertEqual(len(endpoint.requests), 2, "one exchange each")
            theirs, mine = endpoint.requests
            self.assertEqual((mine.method, mine.path), (theirs.method, theirs.path))
            # The official client writes its JSON with spaces.
            self.assertEqual(mine.fields(), theirs.fields(), "same fields, same values, same order")
            for name in ("host", "content-type", "anthropic-beta"):
                self.assertEqual(mine.header(name), theirs.header(name), name)
            self.assertEqual(mine.header("content-length"), str(len(mine.body)))
            # What the official client's HTTP library adds of its own is not part of the protocol, and is left out.
            self.assertEqual(
                sorted(name.lower() for name, _ in mine.headers),
                ["anthropic-beta", "content-length", "content-type", "host"],
            )


def official(ids: dict[str, str], token_file: Path, base: str) -> None:
    provider = IdentityTokenFile(token_file)
    with WorkloadIdentityCredentials(identity_token_provider=provider, **ids) as credentials:
        credentials.bind_base_url(base)
        token = credentials().token
    assert token == "granted", token


def ours(ids: dict[str, str], token_file: Path, url: str) -> None:
    document = {
        "source": {"type": "file", "token_file_path": str(token_file)},
        "exchange": {"type": "anthropic", **ids, "token_endpoint": url},
    }
    command = [KEYLESS, "token", "--connection", json.dumps(document)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "granted\n"), result


if __name__ == "__main__":
    unittest.main()
