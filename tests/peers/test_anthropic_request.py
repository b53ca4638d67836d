"""The exchange as the component sends it to Anthropic, against the exchange as Anthropic's own client sends it."""

import tempfile
from pathlib import Path

from anthropic.lib.credentials import IdentityTokenFile, WorkloadIdentityCredentials

from comparison import Comparison
from component import trade
from wire import TokenEndpoint, identity_token

IDS = {"federation_rule_id": "fdrl_peer", "organization_id": "00000000-0000-0000-0000-000000000001"}
PATH = "/v1/oauth/token"


class AnthropicRequest(Comparison):
    peer = "anthropic for Python, exchange"

    def test_the_request_is_the_official_clients(self) -> None:
        for optional in (
            {},
            {"service_account_id": "svac_peer"},
            {"workspace_id": "default"},
            {"service_account_id": "svac_peer", "workspace_id": "wrkspc_peer"},
        ):
            with self.subTest(**optional):
                self.compare_for({**IDS, **optional})

    def compare_for(self, ids: dict[str, str]) -> None:
        with tempfile.TemporaryDirectory() as folder, TokenEndpoint() as endpoint:
            token_file = Path(folder) / "token"
            token_file.write_text(identity_token() + "\n")
            self.assertEqual(official(ids, token_file, endpoint.root), "granted")
            source = {"type": "file", "token_file_path": str(token_file)}
            trade({"source": source, "exchange": {"type": "anthropic", **ids, "token_endpoint": endpoint.root + PATH}})
            self.assertEqual(len(endpoint.requests), 2, "one exchange each")
            theirs, mine = endpoint.requests
            self.compare([theirs], [mine])


def official(ids: dict[str, str], token_file: Path, base: str) -> str:
    provider = IdentityTokenFile(token_file)
    with WorkloadIdentityCredentials(identity_token_provider=provider, **ids) as credentials:
        credentials.bind_base_url(base)
        return credentials().token
