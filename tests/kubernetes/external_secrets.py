"""What External Secrets does with a webhook: the request it sends and what it makes of the answer.

After its source (github.com/external-secrets/external-secrets, commit 0ce28419): `GetWebhookData`, `executeRequest`
and `GetSecretMap` in providers/v1/webhook/pkg/webhook/webhook.go; `GetSecret` and `extractSecretData` in
providers/v1/webhook/webhook.go; `Generate` in generators/v1/webhook/webhook.go; `GetByteValue` of its utilities.
Written anew: of Go's templates and of JSONPath there is as much as our manifests use, and anything else is an error.
"""

import http.client
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, urlsplit

Object = dict[str, Any]
# The Secrets of a namespace, with their labels, by name.
Secrets = Mapping[str, Object]
# Where a host of the cluster is, for this test.
Address = tuple[str, int]


class NoSecret(Exception):
    """The answer was 404: the ExternalSecret's deletionPolicy says what follows."""


class Failed(Exception):
    """Anything else: the Secret stays as it was, and it is tried again."""


def generate(generator: Object, secrets: Secrets, address: Address) -> dict[str, str]:
    """The generator: a map, each member of which is a key."""
    spec = generator["spec"]
    return secret_map(spec, spec["result"].get("jsonPath", ""), None, secrets, address)


def property_of(store: Object, reference: Object, secrets: Secrets, address: Address) -> str:
    """The provider, for an entry of `data`: one value."""
    spec = store["spec"]["provider"]["webhook"]
    answer = asked(spec, reference, secrets, address)
    path = executed(spec["result"].get("jsonPath", ""), template_data(spec, reference, secrets, str))
    if not path:
        return answer
    return single(at(path, json.loads(answer)))


def whole_of(store: Object, reference: Object, secrets: Secrets, address: Address) -> dict[str, str]:
    """The provider, for `dataFrom.extract`: a map."""
    spec = store["spec"]["provider"]["webhook"]
    path = executed(spec["result"].get("jsonPath", ""), template_data(spec, reference, secrets, str))
    return secret_map(spec, path, reference, secrets, address)


def secret_map(spec: Object, path: str, reference: Object | None, secrets: Secrets, address: Address) -> dict[str, str]:
    found = json.loads(asked(spec, reference, secrets, address))
    if path:
        found = at(path, found)
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            raise Failed("failed to parse response json from jsonpath") from None
    if not isinstance(found, dict):
        raise Failed(f"failed to get response (wrong type: {type(found).__name__})")
    return {key: value_of(value) for key, value in found.items()}


def asked(spec: Object, reference: Object | None, secrets: Secrets, address: Address) -> str:
    """Sends the request as Go's client does: no body and no content-length with a GET, and gzip is offered."""
    url = urlsplit(executed(spec["url"], template_data(spec, reference, secrets, quote_plus)))
    connection = http.client.HTTPConnection(*address, timeout=seconds(spec["timeout"]))
    connection.putrequest(spec.get("method", "GET"), url.path or "/", skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", url.netloc)
    connection.putheader("User-Agent", "Go-http-client/1.1")
    raw = template_data(spec, reference, secrets, str)
    for name, template in spec.get("headers", {}).items():
        value = executed(template, raw)
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            # Go's client refuses to send it: a bearer that was stored with a newline.
            raise Failed(f'failed to call endpoint: net/http: invalid header field value for "{name}"')
        connection.putheader(name, value)
    connection.putheader("Accept-Encoding", "gzip")
    try:
        connection.endheaders()
        answer = connection.getresponse()
        text = answer.read()
    except OSError as reason:
        raise Failed(f"failed to call endpoint: {reason}") from None
    finally:
        connection.close()
    assert answer.headers.get("content-encoding") is None
    if answer.status == 404:
        raise NoSecret
    if not 200 <= answer.status < 300:
        raise Failed(f"endpoint gave error {answer.status}")
    return text.decode()


def template_data(
    spec: Object, reference: Object | None, secrets: Secrets, escape: Callable[[str], str]
) -> dict[str, dict[str, str]]:
    data: dict[str, dict[str, str]] = {}
    if reference is not None:
        names = ("key", "version", "property")
        data["remoteRef"] = {name: escape(reference.get(name, "")) for name in names}
    for wanted in spec.get("secrets", []):
        secret = secrets.get(wanted["secretRef"]["name"])
        if secret is None:
            raise Failed("failed to get clustersecretstore webhook secret")
        if secret["metadata"].get("labels", {}).get("external-secrets.io/type") != "webhook":
            raise Failed("secret does not contain needed label 'external-secrets.io/type: webhook'")
        data.setdefault(wanted["name"], {}).update(secret["stringData"])
    return data


def executed(template: str, data: Mapping[str, Mapping[str, str]]) -> str:
    """Go's text/template, as far as `{{ .name.key }}`."""

    def value(found: re.Match[str]) -> str:
        return data.get(found[1], {}).get(found[2], "<no value>")

    text = re.sub(r"\{\{\s*\.(\w+)\.(\w+)\s*\}\}", value, template)
    assert "{{" not in text, template
    return text


def at(path: str, found: Any) -> Any:
    """JSONPath, as far as `$.name.name`."""
    assert re.fullmatch(r"\$(\.\w+)+", path), path
    for name in path.split(".")[1:]:
        if not isinstance(found, dict) or name not in found:
            raise Failed(f"failed to get response path {path}: unknown key {name}")
        found = found[name]
    return found


def value_of(value: Any) -> str:
    """`GetByteValue`."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            # In digits, never with an exponent.
            return f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
        case None:
            return ""
        case _:
            return json.dumps(value, separators=(",", ":"), sort_keys=True)


def single(value: Any) -> str:
    """`extractSecretData`; of a number it takes the whole part alone."""
    match value:
        case list():
            if not value:
                raise Failed("filter worked but didn't get any result")
            return single(value[0])
        case float() if not isinstance(value, bool):
            return f"{value:.0f}"
        case _:
            return value_of(value)


def filled(template: Mapping[str, str], data: Mapping[str, str]) -> dict[str, str]:
    """`target.template.data` of an ExternalSecret, as far as `{{ .name }}`."""

    def fill(text: str) -> str:
        return re.sub(r"\{\{\s*\.(\w+)\s*\}\}", lambda found: data[found[1]], text)

    return {key: fill(text) for key, text in template.items()}


def seconds(duration: str) -> float:
    """Go's notation, as far as `15s` and `5m`."""
    found = re.fullmatch(r"(\d+)([smh])", duration)
    assert found, duration
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]
