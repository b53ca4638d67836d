"""The exchange as the component sends it to OpenAI, against the exchange as OpenAI's own clients send it."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from openai.auth import WorkloadIdentity, k8s_service_account_token_provider
from openai.auth._workload import WorkloadIdentityAuth

from comparison import Comparison
from component import openai_exchange, trade
from node import openai_node
from wire import TokenEndpoint, identity_token

IDS = {"identity_provider_id": "idp_peer", "service_account_id": "svc_acct_peer"}


class Exchange(Comparison):
    def compare_for(self, token_type: str, content: str, official: Callable[[str, Path, str], str]) -> None:
        with tempfile.TemporaryDirectory() as folder, TokenEndpoint() as endpoint:
            token_file = Path(folder) / "token"
            token_file.write_text(content, newline="")
            self.assertEqual(official(token_type, token_file, endpoint.url), "granted")
            source = {"type": "kubernetes", "token_file_path": str(token_file)}
            trade({"source": source, "exchange": {**openai_exchange(endpoint.url), "token_type": token_type}})
            self.assertEqual(len(endpoint.requests), 2, "one exchange each")
            theirs, mine = endpoint.requests
            self.compare([theirs], [mine])
            self.assertEqual(mine.body, theirs.body, "to the byte")


class OpenAiPython(Exchange):
    peer = "openai for Python, exchange"

    def test_the_request_is_the_official_clients(self) -> None:
        for token_type in ("jwt", "id"):
            for around in ("", "\n", "  \r\n"):
                with self.subTest(token_type=token_type, around=around):
                    self.compare_for(token_type, identity_token() + around, self.official)

    @staticmethod
    def official(token_type: str, token_file: Path, url: str) -> str:
        provider = k8s_service_account_token_provider(token_file)
        identity: WorkloadIdentity = {**IDS, "provider": {**provider, "token_type": token_type}}
        return WorkloadIdentityAuth(workload_identity=identity, token_exchange_url=url).get_token()


class OpenAiNode(Exchange):
    peer = "openai for Node, exchange"

    def test_the_request_is_the_official_clients(self) -> None:
        for around in ("", "\n", "  \r\n"):
            with self.subTest(around=around):
                self.compare_for("jwt", identity_token() + around, self.official)

    @staticmethod
    def official(_: str, token_file: Path, url: str) -> str:
        return openai_node("k8sServiceAccountTokenProvider", str(token_file), endpoint=url)
