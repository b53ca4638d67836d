"""Asking Azure for a managed identity's token: the component's `azure` source, against OpenAI's clients and Azure's own."""

from collections.abc import Callable, Mapping

from azure.identity import ManagedIdentityCredential
from openai.auth import azure_managed_identity_token_provider

from comparison import Comparison
from component import openai_exchange, trade
from node import openai_node
from redirect import redirected
from wire import Answer, Party, TokenEndpoint, identity_token

METADATA = ("169.254.169.254", 80)
RESOURCE = "api://00000000-0000-0000-0000-00000000000a"
CLIENT, OBJECT = {"client_id": "client-1"}, {"object_id": "object 1"}
NAMED = {"msi_res_id": "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"}

# Of a document's `azure` source.
Settings = Mapping[str, str]


def azure() -> Party:
    given = {
        "access_token": identity_token(),
        "expires_in": "86399",
        # Nobody looks at it but Azure's client, inside App Service.
        "expires_on": "4102444800",
        "resource": RESOURCE,
        "token_type": "Bearer",
    }
    return Party(lambda _: Answer(given))


class Azure(Comparison):
    def compare_for(self, settings: Settings, official: Callable[[Settings, int], object]) -> None:
        with self.subTest(**settings), azure() as party, TokenEndpoint() as endpoint:
            official(settings, party.port)
            theirs = list(party.requests)
            trade(
                {"source": {"type": "azure", **settings}, "exchange": openai_exchange(endpoint.url)},
                instead_of={METADATA: party.port},
            )
            self.compare(theirs, party.requests[len(theirs) :])


class OpenAiPython(Azure):
    peer = "openai for Python, azure"

    def test_the_request_is_the_official_clients(self) -> None:
        for more in ({}, CLIENT, OBJECT, NAMED, {**OBJECT, **CLIENT, **NAMED, "api_version": "2021-02-01"}):
            self.compare_for({"resource": RESOURCE, **more}, self.official)
        self.compare_for({}, self.official)

    @staticmethod
    def official(settings: Settings, there: int) -> None:
        with redirected({METADATA: there}, {}):
            azure_managed_identity_token_provider(**settings)["get_token"]()


class OpenAiNode(Azure):
    peer = "openai for Node, azure"

    def test_the_request_is_the_official_clients(self) -> None:
        for more in ({}, CLIENT, OBJECT, NAMED, {**OBJECT, **CLIENT, **NAMED, "api_version": "2021-02-01"}):
            self.compare_for({"resource": RESOURCE, **more}, self.official)

    @staticmethod
    def official(settings: Settings, there: int) -> None:
        names = {"client_id": "clientId", "object_id": "objectId", "msi_res_id": "msiResId", "api_version": "apiVersion"}
        config = {names[name]: value for name, value in settings.items() if name in names}
        openai_node(
            "azureManagedIdentityTokenProvider", settings["resource"], config, instead_of={METADATA: there}
        )


def azure_identity(settings: Settings) -> None:
    """With whatever the environment says."""
    client = settings.get("client_id")
    other = {"object_id": settings.get("object_id"), "resource_id": settings.get("msi_res_id")}
    config = {name: value for name, value in other.items() if value is not None}
    with ManagedIdentityCredential(client_id=client, identity_config=config or None) as credential:
        credential.get_token(settings["resource"])


class AzureIdentity(Azure):
    peer = "azure-identity, virtual machine"

    def test_the_request_is_azures_own_clients(self) -> None:
        for more in ({}, CLIENT, OBJECT, NAMED):
            self.compare_for({"resource": RESOURCE, **more}, self.official)

    @staticmethod
    def official(settings: Settings, there: int) -> None:
        with redirected({METADATA: there}, {}):
            azure_identity(settings)


class AzureIdentityInAppService(Comparison):
    peer = "azure-identity, App Service"

    def test_the_request_is_azures_own_clients(self) -> None:
        for more in ({}, CLIENT, OBJECT, NAMED):
            settings = {"resource": RESOURCE, **more}
            with self.subTest(**more), azure() as party, TokenEndpoint() as endpoint:
                variables = {"IDENTITY_ENDPOINT": f"{party.root}/msi/token", "IDENTITY_HEADER": "853b9a84"}
                with redirected({}, variables):
                    azure_identity(settings)
                theirs = list(party.requests)
                trade(
                    {"source": {"type": "azure", **settings}, "exchange": openai_exchange(endpoint.url)},
                    variables=variables,
                )
                self.compare(theirs, party.requests[len(theirs) :])
