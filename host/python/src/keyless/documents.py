"""Which connection document: what was given, and where to look without it, as the command does (`keyless --help`)."""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .error import InvalidError

#: A document: its text (JSON or a URI), `@FILE`, the name of a connection in `keyless.toml`, or what JSON would hold.
Document = str | Mapping[str, Any]

_LIMIT = 64 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_FILE = "keyless.toml"


def text_of(document: Document | None, environment: Mapping[str, str]) -> str:
    """The text that the component reads. Without a document: `$KEYLESS_CONNECTION`, `$AIRFLOW_CONN_OPENAI_DEFAULT`, the
    default of `keyless.toml`, OpenAI's own variables, in this order.

    # Errors
    `connection-missing`, `connection-file`, `connection-name`, `connection-form`, `document-syntax`,
    `document-too-large`, `config-unreadable`, `config-invalid`.
    """
    if document is not None:
        return _text(document, "the document", environment)
    if given := _filled("KEYLESS_CONNECTION", environment):
        return _text(given, "$KEYLESS_CONNECTION", environment)
    if given := _filled("AIRFLOW_CONN_OPENAI_DEFAULT", environment):
        return given
    if config := _config(environment):
        path, names = config
        if "default" in names:
            return _named(names["default"], path, names)
    if any(_filled(name, environment) for name in ("OPENAI_API_KEY", "OPENAI_IDENTITY_PROVIDER_ID")):
        return '{"environment":"openai"}'
    raise InvalidError(
        "connection-missing",
        "no connection is given; give a document to open(), or set $KEYLESS_CONNECTION, $AIRFLOW_CONN_OPENAI_DEFAULT, "
        "`default` in keyless.toml, $OPENAI_API_KEY, or $OPENAI_IDENTITY_PROVIDER_ID with $OPENAI_SERVICE_ACCOUNT_ID",
    )


def _text(document: Document, place: str, environment: Mapping[str, str]) -> str:
    if not isinstance(document, str):
        try:
            return json.dumps(document)
        except (TypeError, ValueError) as reason:
            raise InvalidError("document-syntax", f"{place} cannot be written as JSON: {reason}") from None
    if document.startswith("@"):
        return _read(Path(document[1:]))
    name = document.strip()
    if name == "-" and place.startswith("$"):
        raise InvalidError(
            "connection-form", f"{place} names standard input, which belongs to the program; write @FILE"
        )
    if _NAME.fullmatch(name):
        config = _config(environment)
        if config is None:
            raise InvalidError(
                "connection-name",
                f"a connection name was given ({len(name)} characters), but there is no keyless.toml here nor in your "
                "configuration directory; write [connections.NAME] in keyless.toml, or give the document itself or @FILE",
            )
        return _named(name, *config)
    return document


def _read(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(_LIMIT + 1)
    except OSError as reason:
        raise InvalidError(
            "connection-file", f"@{path} cannot be read: {reason.strerror}; check the path and its permissions"
        ) from None
    if len(content) > _LIMIT:
        raise InvalidError("document-too-large", f"@{path} holds more than 64 KiB; check that it is the right file")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise InvalidError("document-syntax", f"@{path} is not UTF-8 text; save it as UTF-8") from None
    if path.suffix == ".toml":
        return json.dumps(_toml(path, text, "document-syntax"))
    if path.suffix in (".yaml", ".yml"):
        raise InvalidError(
            "document-syntax",
            f"@{path} is YAML, which only the command reads; write it as JSON or TOML, or give a mapping",
        )
    return text


def _config(environment: Mapping[str, str]) -> tuple[Path, dict[str, Any]] | None:
    """`$KEYLESS_CONFIG`, else `keyless.toml` here, else in the user's configuration folder."""
    named = environment.get("KEYLESS_CONFIG")
    base = environment.get("XDG_CONFIG_HOME") or (environment.get("HOME") and f"{environment['HOME']}/.config")
    candidates = [Path(named)] if named else [Path(_FILE)]
    if not named and base and os.path.isabs(base):
        candidates.append(Path(base, "keyless", _FILE))
    for path in candidates:
        if named or path.exists():
            try:
                return path, _toml(path, path.read_text(encoding="utf-8"), "config-invalid")
            except (OSError, UnicodeDecodeError) as reason:
                what = reason.strerror if isinstance(reason, OSError) else "it is not UTF-8 text"
                raise InvalidError("config-unreadable", f"{path} cannot be read: {what}") from None
    return None


def _named(name: Any, path: Path, names: dict[str, Any]) -> str:
    connections = names.get("connections", {})
    document = connections.get(name) if isinstance(connections, dict) and isinstance(name, str) else None
    if isinstance(document, str):
        return document
    if isinstance(document, dict):
        return json.dumps(document)
    known = ", ".join(sorted(connections)) if isinstance(connections, dict) and connections else "none"
    raise InvalidError("connection-name", f"{path} has no connection of this name; there are: {known}")


def _toml(path: Path, text: str, code: str) -> dict[str, Any]:
    try:
        toml = importlib.import_module("tomllib")
    except ModuleNotFoundError:
        raise InvalidError(code, f"{path} is TOML, which needs Python 3.11; write JSON, or give a mapping") from None
    try:
        read: dict[str, Any] = toml.loads(text)
    except ValueError as reason:
        raise InvalidError(code, f"{path} is not valid TOML: {reason}") from None
    return read


def _filled(name: str, environment: Mapping[str, str]) -> str | None:
    value = environment.get(name, "")
    return value if value.strip() else None
