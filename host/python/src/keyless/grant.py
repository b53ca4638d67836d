"""What the host allows. Never widened by the component."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .allow import AllowList
from .error import DeniedError
from .plan import ClientCertificate, Endpoint, Requirements


@dataclass(frozen=True)
class Grant:
    """What a connection may do: requests it may send, files it may read, variables it may be given.

    Files and variables are compared as written, endpoints as URLs. Nothing at all is enough for a static API key.
    """

    endpoints: frozenset[Endpoint] = frozenset()
    files: frozenset[str] = frozenset()
    #: `None`: those that the document reads.
    variables: frozenset[str] | None = None
    client_certificate: ClientCertificate | None = None
    allowed: AllowList = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "allowed", AllowList(self.endpoints))

    @staticmethod
    def of(
        endpoints: Iterable[str | Endpoint] = (),
        files: Iterable[str] = (),
        variables: Iterable[str] | None = None,
        client_certificate: ClientCertificate | None = None,
    ) -> Grant:
        """From lists; an endpoint may be written as `"POST https://auth.openai.com/oauth/token"`."""
        return Grant(
            frozenset(each if isinstance(each, Endpoint) else Endpoint(*_split(each)) for each in endpoints),
            frozenset(files),
            None if variables is None else frozenset(variables),
            client_certificate,
        )

    @staticmethod
    def for_requirements(needed: Requirements) -> Grant:
        """Exactly what a plan asks for."""
        return Grant(
            frozenset(needed.endpoints), frozenset(needed.files), frozenset(needed.variables), needed.client_certificate
        )

    def hands_over(self, variable: str) -> bool:
        """Whether the component may be given the value of this variable."""
        return self.variables is None or variable in self.variables

    def presents(self, certificate: ClientCertificate | None) -> bool:
        """Whether this one may be presented: it is granted as such, or both its files are."""
        if certificate is None or certificate == self.client_certificate:
            return True
        return {certificate.certificate_file, certificate.private_key_file} <= self.files

    def check(self, needed: Requirements) -> None:
        """Raises `grant-exceeded`, naming all that is required and not granted."""
        beyond = [str(endpoint) for endpoint in needed.endpoints if not self.allowed.covers(endpoint)]
        beyond += [f"the file {file}" for file in needed.files if file not in self.files]
        beyond += [f"the variable {name}" for name in needed.variables if not self.hands_over(name)]
        if not self.presents(needed.client_certificate):
            beyond.append(f"the client certificate {needed.client_certificate}")
        if beyond:
            raise DeniedError(
                "grant-exceeded",
                f"the document needs more than is granted: {', '.join(beyond)}; if that is intended, extend the grant "
                "(write the lock file anew), else correct the document",
            )


def _split(text: str) -> tuple[str, str]:
    method, _, url = text.partition(" ")
    return method, url.strip()
