"""The component's STS request, against the signature that AWS's own client makes of the same request."""

import json
import os
import subprocess
import threading
import unittest
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock
from urllib.parse import parse_qsl

import botocore.auth
import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from wire import Request, TokenEndpoint, identity_token

KEYLESS = os.environ["KEYLESS"]
REGION = "eu-central-1"
AUDIENCE = "https://api.openai.com/v1"
KEY_ID, SECRET, SESSION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjEXAMPLE//=="


class StsEndpoint:
    """Grants every token, so that only the request is under test."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.requests.append(Request(self.command, self.path, list(self.headers.items()), body))
                answer = (
                    '<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
                    f"<GetWebIdentityTokenResult><WebIdentityToken>{identity_token()}</WebIdentityToken>"
                    "<Expiration>2030-01-01T00:00:00Z</Expiration></GetWebIdentityTokenResult>"
                    "</GetWebIdentityTokenResponse>"
                ).encode()
                self.send_response(200)
                self.send_header("content-type", "text/xml")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "StsEndpoint":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class AwsSignature(unittest.TestCase):
    def test_the_signature_is_botocore_s(self) -> None:
        for session in (None, SESSION):
            with self.subTest(session=session), StsEndpoint() as sts:
                ours(sts.url, session)
                (mine,) = sts.requests
                sent = dict((name.lower(), value) for name, value in mine.headers)
                signed = [name for name in sent if name not in ("authorization", "content-length")]
                # botocore adds date and session token itself.
                request = AWSRequest(
                    mine.method, sts.url + mine.path, headers={"content-type": sent["content-type"]}, data=mine.body
                )
                moment = datetime.strptime(sent["x-amz-date"], "%Y%m%dT%H%M%SZ")
                with mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: moment):
                    botocore.auth.SigV4Auth(Credentials(KEY_ID, SECRET, session), "sts", REGION).add_auth(request)
                self.assertEqual(sent["authorization"], request.headers["authorization"])
                self.assertEqual(sent.get("x-amz-security-token"), session)
                self.assertIn(f"SignedHeaders={';'.join(sorted(signed))},", sent["authorization"])

    def test_the_call_is_botocore_s(self) -> None:
        with StsEndpoint() as sts:
            ours(sts.url, SESSION)
            client = botocore.session.get_session().create_client(
                "sts",
                region_name=REGION,
                endpoint_url=sts.url,
                aws_access_key_id=KEY_ID,
                aws_secret_access_key=SECRET,
                aws_session_token=SESSION,
            )
            client.get_web_identity_token(Audience=[AUDIENCE], SigningAlgorithm="ES384", DurationSeconds=300)
            mine, theirs = sts.requests
            self.assertEqual((mine.method, mine.path), (theirs.method, theirs.path))
            self.assertEqual(sorted(parse_qsl(mine.body)), sorted(parse_qsl(theirs.body)), "same parameters")
            for name in ("host", "content-type", "x-amz-security-token"):
                self.assertEqual(mine.header(name), theirs.header(name), name)
            # The names of the signed headers, and the scope.
            for part in (0, 1):
                parts = [request.header("authorization").split(", ")[part] for request in (mine, theirs)]
                self.assertEqual(parts[0], parts[1])


def ours(url: str, session: str | None) -> None:
    with TokenEndpoint() as endpoint:
        document = {
            "source": {"type": "aws", "region": REGION, "sts_endpoint": url},
            "exchange": {
                "type": "openai",
                "identity_provider_id": "idp_peer",
                "service_account_id": "svc_acct_peer",
                "token_endpoint": endpoint.url,
            },
        }
        variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        variables |= {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
        if session is not None:
            variables["AWS_SESSION_TOKEN"] = session
        command = [KEYLESS, "token", "--connection", json.dumps(document)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, env=variables)
        assert (result.returncode, result.stdout) == (0, "granted\n"), result


if __name__ == "__main__":
    unittest.main()
