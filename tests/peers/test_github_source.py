"""Asking for a job's identity token: the component's `github` source, against GitHub's own client."""

from comparison import Comparison
from component import openai_exchange, trade
from node import node
from wire import Answer, Party, TokenEndpoint, identity_token


class Actions(Comparison):
    peer = "@actions/core"

    def test_the_request_is_githubs_own_clients(self) -> None:
        for audience in ("https://api.openai.com/v1", "https://gateway.example/a b?c=d&e+f"):
            token = identity_token(audience)
            given = Answer({"count": 1, "value": token})
            with self.subTest(audience=audience), Party(lambda _: given) as party, TokenEndpoint() as endpoint:
                variables = {
                    # As the runner writes it: with two slashes, and a query already.
                    "ACTIONS_ID_TOKEN_REQUEST_URL": f"{party.root}/42//idtoken/1/2?api-version=2.0",
                    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token",
                }
                self.assertEqual(node("actions_node.mjs", audience, variables), token)
                source = {"type": "github", "audience": audience}
                trade({"source": source, "exchange": openai_exchange(endpoint.url)}, variables=variables)
                theirs, mine = party.requests
                self.compare([theirs], [mine])
