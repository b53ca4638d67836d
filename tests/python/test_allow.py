"""The rule for requests, with the cases of the Rust host (host/src/sender/allow.rs)."""

import unittest

from keyless import DeniedError, Endpoint
from keyless.allow import AllowList

ROLES = "http://169.254.169.254/latest/roles"
TOKEN = "https://auth.openai.com/oauth/token"


def allowing(*endpoints: tuple[str, str]) -> AllowList:
    return AllowList([Endpoint(*endpoint) for endpoint in endpoints])


class Allow(unittest.TestCase):
    def test_exactly_the_granted_method_and_url(self) -> None:
        allowed = allowing(("POST", TOKEN))
        for url in (
            TOKEN,
            "https://AUTH.openai.com/oauth/token",
            "https://auth.openai.com:443/oauth/token",
            f"{TOKEN}?x=1",
        ):
            self.assertTrue(allowed.permits("POST", url), url)
        for url in (
            "http://auth.openai.com/oauth/token",
            "https://auth.openai.com:444/oauth/token",
            "https://auth.openai.com./oauth/token",
            "https://auth.openai.com.evil.example/oauth/token",
            "https://evil.example/oauth/token",
            "https://auth.openai.com@evil.example/oauth/token",
            "https://user:secret@auth.openai.com/oauth/token",
            f"{TOKEN}/",
            "https://auth.openai.com/oauth/Token",
            "https://auth.openai.com/oauth/%74oken",
            "https://auth.openai.com/x/../oauth/token",
            "https://auth.openai.com//oauth/token",
            "https://auth.openai.com/oauth",
            "https://auth.openai.com",
            "https://auth.openai.com:/oauth/token",
            "https://auth.openai.com:99999/oauth/token",
            "https:\\\\auth.openai.com/oauth/token",
            f"{TOKEN}#x",
            f"{TOKEN}\r\nx: y",
            "/oauth/token",
        ):
            self.assertFalse(allowed.permits("POST", url), url)
        for method in ("GET", "PUT", "post", "DELETE"):
            self.assertFalse(allowed.permits(method, TOKEN), method)

    def test_a_star_at_the_end_is_one_segment(self) -> None:
        allowed = allowing(("GET", f"{ROLES}/*"))
        for name in ("my-role", "a_b+c=d,e.f@g-h", "..."):
            self.assertTrue(allowed.permits("GET", f"{ROLES}/{name}"), name)
        for name in ("", "a/b", "a/", "/a", ".", "..", "../x", "%2e%2e", "a%2fb", "a;b", "**"):
            self.assertFalse(allowed.permits("GET", f"{ROLES}/{name}"), name)
        self.assertFalse(allowed.permits("GET", ROLES))
        self.assertFalse(allowed.permits("PUT", f"{ROLES}/x"))
        self.assertFalse(allowed.permits("GET", "http://169.254.170.2/latest/roles/x"))
        self.assertTrue(allowed.covers(Endpoint("GET", f"{ROLES}/*")))
        self.assertFalse(allowed.covers(Endpoint("GET", f"{ROLES}/x")))

    def test_a_grant_is_read_in_any_spelling(self) -> None:
        allowed = allowing(("GET", "http://[FD00:EC2::254]:80/a/./b/../c"), ("POST", "HTTPS://A.Example:443"))
        self.assertTrue(allowed.permits("GET", "http://[fd00:ec2::254]/a/c"))
        self.assertTrue(allowed.permits("POST", "https://a.example/"))
        self.assertTrue(allowed.covers(Endpoint("POST", "https://a.example/")))
        self.assertFalse(allowed.covers(Endpoint("GET", "https://a.example/")))

    def test_plain_http_stays_on_the_machine_or_at_the_clouds_metadata(self) -> None:
        for url in (
            "http://localhost:8080/x",
            "http://127.0.0.1/x",
            "http://127.9.9.9/x",
            "http://[::1]:1/x",
            "http://169.254.169.254/latest/api/token",
            "http://metadata.google.internal/x",
            "http://169.254.170.2/x",
            "http://169.254.170.23/x",
            "http://169.254.130.4:8081/msi/token",
            "http://[fd00:ec2::23]/x",
            "http://[fd00:ec2::254]/x",
            "http://2130706433/x",
        ):
            allowing(("GET", url))
        for url in (
            "http://auth.openai.com/oauth/token",
            "http://10.0.0.1/x",
            "http://169.253.1.1/x",
            "http://localhost.evil.example/x",
            "http://metadata.google.internal.evil.example/x",
            "http://0.0.0.0/x",
            "http://[::ffff:10.0.0.1]/x",
        ):
            with self.assertRaises(DeniedError, msg=url) as refused:
                allowing(("GET", url))
            self.assertEqual(refused.exception.code, "grant-endpoint-insecure")

    def test_what_is_no_endpoint_is_refused(self) -> None:
        for method, url in (
            ("", "https://a.example/"),
            ("post", "https://a.example/"),
            ("POST", "a.example/x"),
            ("POST", "ftp://a.example/x"),
            ("POST", "file:///etc/passwd"),
            ("POST", "https://u@a.example/x"),
            ("POST", "https://u:p@a.example/x"),
            ("POST", "https://a.example/x?y"),
            ("POST", "https://a.example/x#y"),
            ("POST", "https://"),
        ):
            with self.assertRaises(DeniedError, msg=f"{method} {url}") as refused:
                allowing((method, url))
            self.assertEqual(refused.exception.code, "grant-endpoint-invalid")

    def test_nothing_is_granted_by_nothing(self) -> None:
        self.assertFalse(allowing().permits("GET", "https://a.example/"))
