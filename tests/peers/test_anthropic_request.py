"""The exchange as the component sends it to Anthropic, against the exchange as Anthropic's own clients send it."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from anthropic.lib.credentials import IdentityTokenFile, WorkloadIdentityCredentials

from comparison import Comparison
from component import trade
from node import node
from wire import TokenEndpoint, identity_token

IDS = {"federation_rule_id": "fdrl_peer", "organization_id": "00000000-0000-0000-0000-000000000001"}
PATH = "/v1/oauth/token"


class Exchange(Comparison):
    def compare_for(self, official: Callable[[dict[str, str], Path, str], str]) -> None:
        for optional in (
            {},
            {"service_account_id": "svac_peer"},
            {"workspace_id": "default"},
            {"service_account_id": "svac_peer", "workspace_id": "wrkspc_peer"},
        ):
            with self.subTest(**optional), tempfile.TemporaryDirectory() as folder, TokenEndpoint() as endpoint:
                ids = {**IDS, **optional}
                token_file = Path(folder) / "token"
                token_file.write_text(identity_token() + "\n")
                self.assertEqual(official(ids, token_file, endpoint.root), "granted")
                source = {"type": "file", "token_file_path": str(token_file)}
                exchange = {"type": "anthropic", **ids, "token_endpoint": endpoint.root + PATH}
                trade({"source": source, "exchange": exchange})
                self.assertEqual(len(endpoint.requests), 2, "one exchange each")
                theirs, mine = endpoint.requests
                self.compare([theirs], [mine])


class AnthropicPython(Exchange):
    peer = "anthropic for Python, exchange"

    def test_the_request_is_the_official_clients(self) -> None:
        self.compare_for(self.official)

    @staticmethod
    def official(ids: dict[str, str], token_file: Path, base: str) -> str:
        provider = IdentityTokenFile(token_file)
        with WorkloadIdentityCredentials(identity_token_provider=provider, **ids) as credentials:
            credentials.bind_base_url(base)
            return credentials().token


class AnthropicNode(Exchange):
    peer = "anthropic for Node, exchange"

    def test_the_request_is_the_official_clients(self) -> None:
        self.compare_for(self.official)

    @staticmethod
    def official(ids: dict[str, str], token_file: Path, base: str) -> str:
        # `federation_rule_id` is called `federationRuleId` there, and so on.
        words = {name: name.split("_") for name in ids}
        exchange = {first + "".join(map(str.title, rest)): ids[name] for name, (first, *rest) in words.items()}
        return node("anthropic_node.mjs", {"tokenFile": str(token_file), "exchange": exchange, "baseURL": base})
