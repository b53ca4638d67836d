"""OpenAI's client for Python: prints its first token. Told by two arguments: the identity token's file, and the endpoint."""

import sys

from openai.auth import k8s_service_account_token_provider
from openai.auth._workload import WorkloadIdentityAuth

file, endpoint = sys.argv[1:]
print(
    WorkloadIdentityAuth(
        workload_identity={
            "identity_provider_id": "idp_sandbox",
            "service_account_id": "svc_acct_sandbox",
            "provider": k8s_service_account_token_provider(file),
        },
        token_exchange_url=endpoint,
    ).get_token()
)
