"""The requests that may leave: decided on method, scheme, authority and path, before any name is looked up.

The rule is that of the Rust host (host/src/sender/allow.rs), case by case.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .error import DeniedError
from .plan import Endpoint

_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#\\\s]*)(?P<path>/[^?#\s]*)?(?P<query>\?[^#\s]*)?")
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::(?P<port>[0-9]{1,5}))?")
_PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9_+=,.@-]+")
_GOOGLE = "metadata.google.internal"
#: The metadata services of Amazon EKS pods and of AWS machines, over IPv6.
_METADATA = frozenset({ipaddress.ip_address("fd00:ec2::23"), ipaddress.ip_address("fd00:ec2::254")})


@dataclass(frozen=True)
class Target:
    """Method and URL without query, every part in its one canonical spelling. `host` without brackets."""

    method: str
    secure: bool
    host: str
    port: int
    path: str


class AllowList:
    """A grant's endpoints, in the form in which requests are compared with them.

    # Errors
    `grant-endpoint-invalid` for what is no endpoint, `grant-endpoint-insecure` for plain `http` to another machine.
    """

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._targets = {_granted(endpoint) for endpoint in endpoints}

    def covers(self, endpoint: Endpoint) -> bool:
        """Whether an endpoint is within the list, in whatever spelling."""
        try:
            return _granted(endpoint) in self._targets
        except DeniedError:
            return False

    def permits(self, method: str, url: str) -> bool:
        """Whether a request may be sent. The query is free. The path is compared as it is: `/a/../b` is not `/b`."""
        target = target_of(method, url)
        if target is None:
            return False
        if target in self._targets:
            return True
        parent, _, name = target.path.rpartition("/")
        plain = _PLAIN_SEGMENT.fullmatch(name) is not None and name not in (".", "..")
        return plain and replace(target, path=f"{parent}/*") in self._targets


def target_of(method: str, url: str) -> Target | None:
    """Where a request would go; `None` for what is no absolute URL, and for one that holds credentials."""
    parts = _URL.fullmatch(url)
    authority = parts and _AUTHORITY.fullmatch(parts["authority"])
    if not parts or not authority or not url.isascii():
        return None
    secure = parts["scheme"] == "https"
    port = int(authority["port"] or (443 if secure else 80))
    host = authority["host"].lower().strip("[]")
    return Target(method, secure, host, port, parts["path"] or "/") if port < 65536 else None


def spoken(url: str) -> tuple[str, str]:
    """The authority and the path with its query, as they go into a request. Empty for what is no absolute URL."""
    parts = _URL.fullmatch(url)
    return (parts["authority"], (parts["path"] or "/") + (parts["query"] or "")) if parts else ("", "")


def is_local_address(address: str) -> bool:
    """Where plain `http` may go: this machine, or the addresses at which clouds answer their own machines.

    Over IPv4 those are link-local (169.254.0.0/16); what is sent there passes no router.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed.is_loopback or parsed.is_link_local
    return parsed == ipaddress.IPv6Address("::1") or parsed in _METADATA


def is_link_local(host: str) -> bool:
    """Whether nothing but the next hop can be meant: then a second is enough to find out that nobody answers."""
    if host == _GOOGLE:
        return True
    try:
        return is_local_address(host) and not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _granted(endpoint: Endpoint) -> Target:
    method, url = endpoint.method, endpoint.url
    if not (method.isascii() and method.isalpha() and method.isupper()):
        raise _invalid(endpoint, "the method is not in upper case")
    scheme, colon, rest = url.partition(":")
    if not colon or scheme.lower() not in ("https", "http") or not rest.startswith("//"):
        raise _invalid(endpoint, "the scheme is neither https nor http")
    if "@" in rest[2:].partition("/")[0]:
        raise _invalid(endpoint, "the URL holds a user name or a password")
    if "?" in rest or "#" in rest:
        raise _invalid(endpoint, "the URL holds a query or a fragment")
    target = target_of(method, f"{scheme.lower()}:{rest}")
    if target is None:
        raise _invalid(endpoint, "the URL is not valid")
    try:
        host = _canonical(target.host, ":" in target.host)
    except (ValueError, OSError):
        raise _invalid(endpoint, "the host is not valid") from None
    if not target.secure and not _is_local(host):
        raise DeniedError(
            "grant-endpoint-insecure",
            f"`{endpoint}` cannot be granted: plain http is for this machine (localhost, 127.0.0.1, [::1]) and the cloud "
            "metadata addresses only; use https",
        )
    return replace(target, host=host, path=_without_dots(target.path))


def _invalid(endpoint: Endpoint, reason: str) -> DeniedError:
    return DeniedError(
        "grant-endpoint-invalid",
        f"`{endpoint}` cannot be granted: {reason}; write a method and an absolute URL without query",
    )


def _canonical(host: str, is_ipv6: bool) -> str:
    if is_ipv6:
        return str(ipaddress.IPv6Address(host))
    last = host.rstrip(".").rpartition(".")[2]
    if last.isdigit() or last.startswith("0x"):
        # Every other spelling of an address, as URLs allow them: 2130706433 is 127.0.0.1.
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    return host


def _is_local(host: str) -> bool:
    try:
        return is_local_address(host)
    except ValueError:
        return host in ("localhost", _GOOGLE)


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
