"""A client certificate instead of an identity token: the component's `x509` source, against OpenAI's client."""

import ssl
import tempfile
from pathlib import Path

from openai import DefaultHttpx2Client
from openai.auth import x509_workload_identity
from openai.auth._x509 import SyncX509WorkloadIdentityAuth

from authority import Authority
from comparison import Comparison
from component import trade
from redirect import redirected
from wire import TokenEndpoint

HOST = "mtls.auth.openai.com"
IDS = {"identity_provider_id": "idp_peer", "service_account_id": "svc_acct_peer"}


class OpenAiPython(Comparison):
    peer = "openai for Python, x509"

    def test_the_request_is_the_official_clients(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            authority = Authority(Path(folder), HOST)
            certificate, key = authority.demand_certificates()
            with TokenEndpoint(authority.context) as endpoint:
                instead_of = {(HOST, 443): endpoint.port}
                context = ssl.create_default_context(cafile=authority.ca)
                context.load_cert_chain(certificate, key)
                with redirected(instead_of, {}), DefaultHttpx2Client(verify=context) as client:
                    official = SyncX509WorkloadIdentityAuth(
                        workload_identity=x509_workload_identity(**IDS), http_client=client, max_retries=0
                    )
                    self.assertEqual(official.get_token(), "granted")
                source = {"type": "x509", "certificate_file": str(certificate), "private_key_file": str(key)}
                trade(
                    {"source": source, "exchange": {"type": "openai", **IDS}},
                    instead_of=instead_of,
                    ca=authority.ca,
                )
                theirs, mine = endpoint.requests
                self.compare([theirs], [mine])
                self.assertIsNotNone(theirs.certificate)
                self.assertEqual(mine.certificate, theirs.certificate)
