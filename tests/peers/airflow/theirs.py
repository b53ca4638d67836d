"""A document as the real Airflow reads it: environment variable, connection, hook, official client, one call."""

import json
import os
from contextlib import AbstractContextManager
from pathlib import Path
from unittest import mock

from reading import Reading, secret
from world import ACCESS_TOKEN, AZURE, EXCHANGE, GOOGLE, Request, World, around

VARIABLE = "AIRFLOW_CONN_OPENAI_DEFAULT"
# Of the place, of the body, and what the client tells of its own settings.
NOT_OF_THE_CREDENTIAL = ("host", "content-length", "x-stainless-read-timeout")


class Airflow:
    """Airflow of this process, with nothing of the machine's environment."""

    def __init__(self, home: Path) -> None:
        self._variables = {
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
            # Its log would compile one pattern of all secrets so far, anew for every document.
            "AIRFLOW__LOGGING__MIN_LENGTH_MASKED_SECRET": "1000000",
        }
        with self._environment("openai://:key@", {}), around() as world:
            # Imported late: it reads its configuration when it is imported.
            from airflow.providers.openai.hooks.openai import OpenAIHook

            self._hook = OpenAIHook
            self._call()
        # What the client adds to every request by itself.
        self._own_headers = world.requests[-1].headers

    def read(self, document: str, variables: dict[str, str]) -> Reading:
        """What comes of the document."""
        with self._environment(document, variables), around() as world:
            try:
                base_url, identity = self._call()
            except Exception as fault:
                return Reading(refused=f"{type(fault).__name__}: {fault}")
        return Reading(settings={"api.base_url": base_url} | self._settings(world, identity))

    def _environment(self, document: str, variables: dict[str, str]) -> AbstractContextManager[object]:
        return mock.patch.dict(os.environ, {**self._variables, **variables, VARIABLE: document}, clear=True)

    def _call(self) -> tuple[str, dict | None]:
        hook = self._hook()
        # The first failure is what is looked for.
        hook.conn.max_retries = 0
        hook.create_embeddings("text")
        return str(hook.conn.base_url), hook.conn.workload_identity

    def _settings(self, world: World, identity: dict | None) -> dict[str, str]:
        *before, call = world.requests
        settings = {}
        for name, value in call.headers.items():
            if name == "authorization":
                settings["api.header.authorization"] = value.replace(ACCESS_TOKEN, "(issued)")
            elif name in NOT_OF_THE_CREDENTIAL or self._own_headers.get(name) == value:
                continue
            elif identity and not name.startswith("openai-"):
                settings[f"api.header.{name}"] = secret(value)
            else:
                settings[f"api.header.{name}"] = value
        # Where a header of the document replaces the credential, there is no exchange.
        if identity and before:
            settings |= source(world, before) | exchange(before[-1])
            # Where nothing is set, the official client renews 20 minutes before the end and we by half of the lifetime.
            if (buffer := identity.get("refresh_buffer_seconds")) is not None:
                settings["refresh_buffer_seconds"] = str(float(buffer))
        return settings


def source(world: World, requests: list[Request]) -> dict[str, str]:
    """Where the identity token came from."""
    if world.files:
        return {"source.type": "kubernetes", "source.token_file_path": world.files[0]}
    name = {AZURE: "azure", GOOGLE: "gcp"}.get(requests[0].url.partition("?")[0])
    if name is None:
        return {"source.type": "custom"}
    query = {key.replace("-", "_"): value for key, value in requests[0].query().items()}
    return {"source.type": name, **{f"source.{key}": value for key, value in query.items()}}


def exchange(request: Request) -> dict[str, str]:
    """How it was traded."""
    assert request.url == EXCHANGE, request.url
    body = json.loads(request.body)
    kinds = {"urn:ietf:params:oauth:token-type:jwt": "jwt", "urn:ietf:params:oauth:token-type:id_token": "id"}
    return {
        "exchange.token_endpoint": request.url,
        "exchange.token_type": kinds[body["subject_token_type"]],
        "exchange.identity_provider_id": written(body["identity_provider_id"]),
        "exchange.service_account_id": written(body["service_account_id"]),
    }


def written(value: object) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
