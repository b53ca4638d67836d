"""The component's STS request, against the signature that AWS's own client makes of the same request."""

import unittest
from datetime import datetime
from unittest import mock
from urllib.parse import parse_qsl

import botocore.auth
import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from component import openai_exchange, trade
from sts import sts
from wire import Party, TokenEndpoint

REGION = "eu-central-1"
AUDIENCE = "https://api.openai.com/v1"
KEY_ID, SECRET, SESSION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjEXAMPLE//=="


class AwsSignature(unittest.TestCase):
    def test_the_signature_is_botocore_s(self) -> None:
        for session in (None, SESSION):
            with self.subTest(session=session), Party(sts) as party:
                ours(party.root, session)
                (mine,) = party.requests
                sent = dict((name.lower(), value) for name, value in mine.headers)
                signed = [name for name in sent if name not in ("authorization", "content-length")]
                # botocore adds date and session token itself.
                request = AWSRequest(
                    mine.method, party.root + mine.path, headers={"content-type": sent["content-type"]}, data=mine.body
                )
                moment = datetime.strptime(sent["x-amz-date"], "%Y%m%dT%H%M%SZ")
                with mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: moment):
                    botocore.auth.SigV4Auth(Credentials(KEY_ID, SECRET, session), "sts", REGION).add_auth(request)
                self.assertEqual(sent["authorization"], request.headers["authorization"])
                self.assertEqual(sent.get("x-amz-security-token"), session)
                self.assertIn(f"SignedHeaders={';'.join(sorted(signed))},", sent["authorization"])

    def test_the_call_is_botocore_s(self) -> None:
        with Party(sts) as party:
            ours(party.root, SESSION)
            client = botocore.session.get_session().create_client(
                "sts",
                region_name=REGION,
                endpoint_url=party.root,
                aws_access_key_id=KEY_ID,
                aws_secret_access_key=SECRET,
                aws_session_token=SESSION,
            )
            client.get_web_identity_token(Audience=[AUDIENCE], SigningAlgorithm="ES384", DurationSeconds=300)
            mine, theirs = party.requests
            self.assertEqual((mine.method, mine.path), (theirs.method, theirs.path))
            self.assertEqual(sorted(parse_qsl(mine.body)), sorted(parse_qsl(theirs.body)), "same parameters")
            for name in ("host", "content-type", "x-amz-security-token"):
                self.assertEqual(mine.header(name), theirs.header(name), name)
            # The names of the signed headers, and the scope.
            for part in (0, 1):
                parts = [request.header("authorization").split(", ")[part] for request in (mine, theirs)]
                self.assertEqual(parts[0], parts[1])


def ours(url: str, session: str | None) -> None:
    variables = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    if session is not None:
        variables["AWS_SESSION_TOKEN"] = session
    with TokenEndpoint() as endpoint:
        source = {"type": "aws", "region": REGION, "sts_endpoint": url}
        trade({"source": source, "exchange": openai_exchange(endpoint.url)}, variables=variables)
