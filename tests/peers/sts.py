"""AWS's token service, which grants everything."""

from wire import Answer, Request, identity_token


def sts(request: Request) -> Answer:
    """Both of STS's calls. Its answers are XML."""
    action = dict(request.parameters())["Action"]
    result = {
        "AssumeRoleWithWebIdentity": (
            "<Credentials><AccessKeyId>ASIAPEER</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
            "<SessionToken>session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        ),
        "GetWebIdentityToken": (
            f"<WebIdentityToken>{identity_token()}</WebIdentityToken><Expiration>2099-01-01T00:00:00Z</Expiration>"
        ),
    }[action]
    text = (
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>{result}</{action}Result>'
        f"</{action}Response>"
    )
    return Answer(text, headers=(("content-type", "text/xml"),))
