"""Asking Google Cloud's metadata server for an identity token: the component's `gcp` source, against OpenAI's clients and
Google's own."""

from collections.abc import Callable

import google.auth.transport.requests
import google.oauth2.id_token
from openai.auth import gcp_id_token_provider

from comparison import Comparison
from component import openai_exchange, trade
from node import openai_node
from redirect import redirected
from wire import Answer, Party, Request, TokenEndpoint, identity_token

METADATA = ("metadata.google.internal", 80)
# Google's client also asks at the address, to find out whether it is there.
ADDRESS = ("169.254.169.254", 80)
AUDIENCES = ("https://api.openai.com/v1", "https://gateway.example/a b?c=d&e")


def metadata_server(audience: str) -> Party:
    def answer(request: Request) -> Answer:
        flavor = ("Metadata-Flavor", "Google")
        if request.path.split("?")[0].endswith("/identity"):
            return Answer(identity_token(audience), headers=(flavor, ("content-type", "text/html")))
        about = {"aliases": ["default"], "email": "app@project.iam.gserviceaccount.com", "scopes": []}
        return Answer(about, headers=(flavor,))

    return Party(answer)


class Gcp(Comparison):
    def compare_for(self, official: Callable[[str, int], object], **more: str) -> None:
        for audience in AUDIENCES:
            with self.subTest(audience=audience), metadata_server(audience) as party, TokenEndpoint() as endpoint:
                official(audience, party.port)
                theirs = list(party.requests)
                source = {"type": "gcp", "audience": audience, **more}
                trade(
                    {"source": source, "exchange": openai_exchange(endpoint.url)}, instead_of={METADATA: party.port}
                )
                self.compare(theirs, party.requests[len(theirs) :])


class OpenAiPython(Gcp):
    peer = "openai for Python, gcp"

    def test_the_request_is_the_official_clients(self) -> None:
        self.compare_for(self.official)

    @staticmethod
    def official(audience: str, there: int) -> None:
        with redirected({METADATA: there}, {}):
            gcp_id_token_provider(audience)["get_token"]()


class OpenAiNode(Gcp):
    peer = "openai for Node, gcp"

    def test_the_request_is_the_official_clients(self) -> None:
        self.compare_for(self.official)

    @staticmethod
    def official(audience: str, there: int) -> None:
        openai_node("gcpIDTokenProvider", audience, instead_of={METADATA: there})


class GoogleAuth(Gcp):
    peer = "google-auth, metadata server"

    def test_the_request_is_googles_own_clients(self) -> None:
        self.compare_for(self.official, format="full")

    @staticmethod
    def official(audience: str, there: int) -> None:
        with redirected({METADATA: there, ADDRESS: there}, {}):
            request = google.auth.transport.requests.Request()
            google.oauth2.id_token.fetch_id_token(request, audience)
