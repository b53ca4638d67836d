"""Prints what a cached token costs in the official client, in nanoseconds."""

import statistics
import timeit

from openai.auth._workload import WorkloadIdentityAuth

from wire import TokenEndpoint, identity_token

CALLS = 20_000

with TokenEndpoint() as endpoint:
    auth = WorkloadIdentityAuth(
        workload_identity={
            "identity_provider_id": "idp_peer",
            "service_account_id": "svc_acct_peer",
            "provider": {"token_type": "jwt", "get_token": identity_token},
        },
        token_exchange_url=endpoint.url,
    )
    auth.get_token()
    print(statistics.median(timeit.repeat(auth.get_token, number=CALLS, repeat=15)) / CALLS * 1e9)
    assert len(endpoint.requests) == 1, "the token was cached"
