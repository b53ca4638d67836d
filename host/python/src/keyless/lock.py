"""The lock file, as `keyless plan --lock` writes it: a grant on paper, to be reviewed and committed."""

from __future__ import annotations

import json
import os
from typing import Any

from .error import Error, InvalidError
from .grant import Grant
from .plan import ClientCertificate, Endpoint

_VERSION = 1
_KEYS = {"version", "component", "endpoints", "files", "variables", "client_certificate", "source"}


def read(path: str | os.PathLike[str]) -> Grant:
    """The grant in that file.

    Its `source` is about a component that gives identity tokens. This host runs no such component, so nothing of it is
    granted.

    # Errors
    `lock-invalid`, `lock-version`; `grant-endpoint-invalid` and `grant-endpoint-insecure` as for any grant.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = json.load(file)
    except OSError as reason:
        raise InvalidError("lock-invalid", f"the lock file cannot be read: {reason.strerror}; check the path") from None
    except ValueError as reason:
        raise _invalid(str(reason)) from None
    if not isinstance(text, dict):
        raise _invalid("it holds no object")
    if text.get("version") != _VERSION:
        raise InvalidError(
            "lock-version",
            f"the lock file has version {text.get('version')!r}, this package reads version {_VERSION}; write it anew",
        )
    if unknown := text.keys() - _KEYS:
        raise _invalid(f"`{min(unknown)}` is not known")
    try:
        return _grant(text)
    except Error:
        raise
    except (KeyError, TypeError, ValueError) as reason:
        raise _invalid(f"a field is missing or of another kind ({reason})") from None


def _grant(text: dict[str, Any]) -> Grant:
    certificate = text.get("client_certificate")
    return Grant(
        frozenset(Endpoint(**endpoint) for endpoint in text["endpoints"]),
        frozenset(_texts(text["files"])),
        frozenset(_texts(text["variables"])),
        ClientCertificate(**certificate) if certificate else None,
    )


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("a list of texts is wanted")
    return values


def _invalid(what: str) -> InvalidError:
    return InvalidError("lock-invalid", f"the lock file is not valid: {what}; write it anew")
