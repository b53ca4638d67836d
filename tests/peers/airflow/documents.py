"""A connection document under test, and how people write one down."""

import json
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

IDENTITY = {
    "auth_type": "workload_identity",
    "identity_provider_id": "idp_1",
    "service_account_id": "svc_acct_1",
}


@dataclass(frozen=True)
class Document:
    """What stands in `AIRFLOW_CONN_OPENAI_DEFAULT`, beside the variables that OpenAI's client reads."""

    text: str
    variables: dict[str, str] = field(default_factory=dict)
    # The rules of differences.json that it falls under.
    rules: frozenset[str] = frozenset()
    # Whether it was written to show that difference, so that it has to be there.
    shows: bool = False


def as_json(**fields: object) -> str:
    """The JSON form, `extra` an object."""
    return json.dumps({"conn_type": "openai", **fields})


def as_json_text(extra: object, **fields: object) -> str:
    """The JSON form, `extra` a string that holds JSON."""
    return as_json(extra=json.dumps(extra), **fields)


def as_uri(extra: dict[str, str], place: str = "") -> str:
    """The URI form with a flat query; `place` is everything before it."""
    return f"openai://{place}?{urlencode(extra, quote_via=quote)}"


def as_uri_nested(extra: object, place: str = "") -> str:
    """The URI form with everything in `__extra__`."""
    return f"openai://{place}?{urlencode({'__extra__': json.dumps(extra)}, quote_via=quote)}"


def exchanged(provider: str, **settings: object) -> dict[str, object]:
    """The `extra` of workload identity."""
    return {**IDENTITY, "workload_identity_provider": provider, **settings}


def arguments(**arguments: object) -> dict[str, object]:
    """The `extra` with arguments of OpenAI's client."""
    return {"openai_client_kwargs": arguments}


def with_key(extra: object) -> str:
    """A static key and that `extra`."""
    return as_json(password="key", extra=extra)
