"""What a document means and what it needs: the records of `wit/types.wit`, read only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Endpoint:
    """A method, and an absolute URL without query or fragment. A last segment `*` stands for one plain segment."""

    method: str
    url: str

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


@dataclass(frozen=True)
class ClientCertificate:
    """Two PEM files, spelt as the document spells them, to be presented to every endpoint."""

    certificate_file: str
    private_key_file: str

    def __str__(self) -> str:
        return f"{self.certificate_file} with the key {self.private_key_file}"


@dataclass(frozen=True)
class SourceComponent:
    """The component that a document of the source `custom` names, and what it would be granted."""

    path: str
    endpoints: tuple[Endpoint, ...]
    files: tuple[str, ...]
    variables: tuple[str, ...]


@dataclass(frozen=True)
class Requirements:
    """Everything outside itself that a connection will ever ask for."""

    endpoints: tuple[Endpoint, ...]
    files: tuple[str, ...]
    variables: tuple[str, ...]
    client_certificate: ClientCertificate | None
    source_component: SourceComponent | None


@dataclass(frozen=True)
class Setting:
    """A setting as it was understood. A secret's `value` is its shape."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True)
class Warning:
    """What works, but probably not as its author hopes."""

    code: str
    message: str


@dataclass(frozen=True)
class Plan:
    """A document as it was understood."""

    dialect: str
    settings: tuple[Setting, ...]
    warnings: tuple[Warning, ...]
    requirements: Requirements


def plan_of(record: dict[str, Any]) -> Plan:
    """From the record `connection-plan`."""
    needs = record["requirements"]
    certificate, source = needs["client-certificate"], needs["source-component"]
    return Plan(
        dialect=record["dialect"],
        settings=tuple(Setting(**setting) for setting in record["settings"]),
        warnings=warnings_of(record["warnings"]),
        requirements=Requirements(
            endpoints=_endpoints(needs),
            files=tuple(needs["files"]),
            variables=tuple(needs["variables"]),
            client_certificate=certificate
            and ClientCertificate(certificate["certificate-file"], certificate["private-key-file"]),
            source_component=source
            and SourceComponent(source["path"], _endpoints(source), tuple(source["files"]), tuple(source["variables"])),
        ),
    )


def warnings_of(records: list[dict[str, str]]) -> tuple[Warning, ...]:
    """From records `warning`."""
    return tuple(Warning(**warning) for warning in records)


def _endpoints(record: dict[str, Any]) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(**endpoint) for endpoint in record["endpoints"])
