"""Finding a role's keys: the component's `aws` source, against AWS's own client. How a request is signed with them is
`test_aws_signature.py`'s."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import botocore.session

from authority import Authority
from comparison import Comparison
from component import openai_exchange, trade
from redirect import redirected
from sts import sts
from wire import Answer, Party, Request, TokenEndpoint, identity_token

REGION = "eu-central-1"
KEYS = {
    "Code": "Success",
    "Type": "AWS-HMAC",
    "AccessKeyId": "ASIAPEER",
    "SecretAccessKey": "secret",
    "Token": "session",
    "Expiration": "2099-01-01T00:00:00Z",
    "RoleArn": "arn:aws:iam::123456789012:role/app",
}
# Nothing of the machine that runs the test.
ALONE = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}


def instance(request: Request) -> Answer:
    """The metadata service of an EC2 instance with the role `app`."""
    plain = (("content-type", "text/plain"),)
    if request.endpoint == "PUT /latest/api/token":
        return Answer("session-token", headers=(*plain, ("x-aws-ec2-metadata-token-ttl-seconds", "21600")))
    if request.endpoint.endswith("/security-credentials/"):
        return Answer("app", headers=plain)
    return Answer(KEYS, headers=plain)


def official(instead_of: Mapping[tuple[str, int], int], variables: Mapping[str, str]) -> None:
    with redirected(instead_of, {**ALONE, **variables}):
        keys = botocore.session.Session().get_credentials().get_frozen_credentials()
    assert keys.access_key == "ASIAPEER", keys.access_key


def ours(instead_of: Mapping[tuple[str, int], int], variables: Mapping[str, str]) -> None:
    with Party(sts) as service, TokenEndpoint() as endpoint:
        source = {"type": "aws", "region": REGION, "sts_endpoint": service.root}
        trade(
            {"source": source, "exchange": openai_exchange(endpoint.url)}, variables=variables, instead_of=instead_of
        )


class Container(Comparison):
    peer = "botocore, container"

    def test_the_request_for_an_ecs_task_is_botocores(self) -> None:
        with Party(lambda _: Answer(KEYS)) as party:
            variables = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/5f1e"}
            self.compare_both(party, {("169.254.170.2", 80): party.port}, variables)

    def test_the_request_for_an_eks_pod_is_botocores(self) -> None:
        with tempfile.TemporaryDirectory() as folder, Party(lambda _: Answer(KEYS)) as party:
            file = Path(folder) / "token"
            file.write_text("pod-token")
            variables = {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(file),
            }
            self.compare_both(party, {("169.254.170.23", 80): party.port}, variables)
            variables = {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{party.root}/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "pod-token",
            }
            self.compare_both(party, {}, variables)

    def compare_both(
        self, party: Party, instead_of: Mapping[tuple[str, int], int], variables: Mapping[str, str]
    ) -> None:
        party.requests.clear()
        official(instead_of, variables)
        theirs = list(party.requests)
        ours(instead_of, variables)
        self.compare(theirs, party.requests[len(theirs) :])


class Instance(Comparison):
    peer = "botocore, instance"

    def test_the_requests_are_botocores(self) -> None:
        with Party(instance) as party:
            instead_of = {("169.254.169.254", 80): party.port}
            official(instead_of, {})
            theirs = list(party.requests)
            ours(instead_of, {})
            self.compare(theirs, party.requests[len(theirs) :])


class ServiceAccount(Comparison):
    peer = "botocore, role for a service account"

    def test_the_request_is_botocores(self) -> None:
        host = f"sts.{REGION}.amazonaws.com"
        with tempfile.TemporaryDirectory() as folder:
            authority = Authority(Path(folder), host)
            file = Path(folder) / "token"
            file.write_text(identity_token("sts.amazonaws.com"))
            variables = {
                "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_ROLE_ARN": KEYS["RoleArn"],
                "AWS_ROLE_SESSION_NAME": "peer",
                "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
            }
            with Party(sts, authority.context) as party, TokenEndpoint() as endpoint:
                instead_of = {(host, 443): party.port}
                official(instead_of, {**variables, "AWS_CA_BUNDLE": str(authority.ca)})
                theirs = list(party.requests)
                trade(
                    {"source": "aws", "exchange": openai_exchange(endpoint.url)},
                    variables=variables,
                    instead_of=instead_of,
                    ca=authority.ca,
                )
                # The second call is with the keys, which botocore has not been asked for.
                mine = party.requests[len(theirs) :]
                self.assertEqual(len(mine), 2)
                self.compare(theirs, mine[:1])
