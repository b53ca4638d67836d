"""The exchanges by the standards, against the official clients of two big endpoints: Google's STS for RFC 8693, Microsoft
Entra ID for RFC 7523."""

import tempfile
from pathlib import Path

import google.auth.transport.requests
from azure.identity import WorkloadIdentityCredential
from google.auth import identity_pool

from authority import Authority
from comparison import Comparison
from component import trade
from redirect import redirected
from wire import TokenEndpoint, identity_token


class GoogleSts(Comparison):
    peer = "google-auth, STS"

    def test_the_request_is_googles_own_clients(self) -> None:
        host = "sts.googleapis.com"
        audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/peer"
        scopes = ["https://www.googleapis.com/auth/cloud-platform", "openid"]
        for token_type in ("jwt", "id_token"):
            with self.subTest(token_type=token_type), tempfile.TemporaryDirectory() as folder:
                authority = Authority(Path(folder), host)
                file = Path(folder) / "token"
                file.write_text(identity_token("https:" + audience))
                urn = f"urn:ietf:params:oauth:token-type:{token_type}"
                with TokenEndpoint(authority.context) as endpoint:
                    instead_of = {(host, 443): endpoint.port}
                    credentials = identity_pool.Credentials(
                        audience=audience,
                        subject_token_type=urn,
                        token_url=f"https://{host}/v1/token",
                        credential_source={"file": str(file)},
                        scopes=scopes,
                    )
                    with redirected(instead_of, {"REQUESTS_CA_BUNDLE": str(authority.ca)}):
                        credentials.refresh(google.auth.transport.requests.Request())
                    self.assertEqual(credentials.token, "granted")
                    exchange = {
                        "type": "rfc8693",
                        "token_endpoint": f"https://{host}/v1/token",
                        "audience": audience,
                        "scope": " ".join(scopes),
                        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
                        "subject_token_type": urn,
                    }
                    ours(file, exchange, instead_of, authority)
                    theirs, mine = endpoint.requests
                    self.compare([theirs], [mine])


class Entra(Comparison):
    peer = "azure-identity, Entra ID"

    def test_the_request_is_azures_own_clients(self) -> None:
        host, tenant = "login.microsoftonline.com", "00000000-0000-0000-0000-000000000001"
        client, scope = "00000000-0000-0000-0000-000000000002", "https://cognitiveservices.azure.com/.default"
        url = f"https://{host}/{tenant}/oauth2/v2.0/token"

        with tempfile.TemporaryDirectory() as folder:
            authority = Authority(Path(folder), host)
            file = Path(folder) / "token"
            file.write_text(identity_token("api://AzureADTokenExchange"))
            with TokenEndpoint(authority.context) as endpoint:
                instead_of = {(host, 443): endpoint.port}
                with redirected(instead_of, {}):
                    credential = WorkloadIdentityCredential(
                        tenant_id=tenant,
                        client_id=client,
                        token_file_path=str(file),
                        disable_instance_discovery=True,
                        connection_verify=str(authority.ca),
                    )
                    self.assertEqual(credential.get_token(scope).token, "granted")
                    credential.close()
                exchange = {
                    "type": "rfc7523",
                    "grant": "client_credentials",
                    "token_endpoint": url,
                    "client_id": client,
                    "scope": scope,
                }
                ours(file, exchange, instead_of, authority)
                theirs, mine = endpoint.requests
                self.compare([theirs], [mine])


def ours(
    file: Path, exchange: dict[str, str], instead_of: dict[tuple[str, int], int], authority: Authority
) -> None:
    source = {"type": "file", "token_file_path": str(file)}
    document = {"source": source, "exchange": exchange, "api": {"base_url": "https://api.example/v1"}}
    trade(document, instead_of=instead_of, ca=authority.ca)
