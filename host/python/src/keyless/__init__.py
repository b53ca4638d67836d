"""Keyless: from "who my platform says I am" to "a token this API accepts", kept fresh.

connection = keyless.open()
client = OpenAI(api_key=connection.token, base_url=connection.base_url)
"""

from .connection import Connection
from .credential import Credential
from .door_anthropic import anthropic_credentials, anthropic_credentials_async
from .door_httpx import httpx_auth
from .error import DeniedError, Error, IdentityError, InvalidError, RejectedError, UnavailableError
from .grant import Grant
from .opening import open, open_async, plan
from .plan import ClientCertificate, Endpoint, Plan, Requirements, Setting, SourceComponent, Warning
from .source import Source
from .status import Status

__all__ = [
    "ClientCertificate",
    "Connection",
    "Credential",
    "DeniedError",
    "Endpoint",
    "Error",
    "Grant",
    "IdentityError",
    "InvalidError",
    "Plan",
    "RejectedError",
    "Requirements",
    "Setting",
    "Source",
    "SourceComponent",
    "Status",
    "UnavailableError",
    "Warning",
    "anthropic_credentials",
    "anthropic_credentials_async",
    "httpx_auth",
    "open",
    "open_async",
    "plan",
]

__version__ = "0.1.0"
