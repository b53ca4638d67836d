"""Whom to believe, and what to present: the contexts of TLS."""

from __future__ import annotations

import logging
import os
import ssl
import stat

from .error import InvalidError
from .forks import entered
from .plan import ClientCertificate

_log = logging.getLogger("keyless")
#: No chain and no key is longer, in bytes.
_LIMIT = 64 * 1024


class NoCertificate(Exception):
    """The client certificate that is to be presented is missing or cannot be used."""


class Trust:
    """The platform's roots, and those of `ca_file` beside them. TLS 1.2 and 1.3, HTTP/1.1.

    # Errors
    `ca-certificates-invalid` for a file without a certificate that can be read.
    """

    def __init__(self, ca_file: str | os.PathLike[str] | None, presented: ClientCertificate | None) -> None:
        self._ca = None if ca_file is None else _certificates(ca_file)
        self._presented = presented
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """For one connection. Raises `NoCertificate`."""
        if self._presented is not None:
            # Read anew every time: it rotates while nobody looks.
            context = self._new()
            _present(context, self._presented)
            return context
        if self._context is None:
            self._context = self._new()
        return self._context

    def _new(self) -> ssl.SSLContext:
        with entered():
            # Not ssl.create_default_context, which writes session keys into the file that $SSLKEYLOGFILE names.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.set_alpn_protocols(["http/1.1"])
            context.load_default_certs()
            if self._ca is not None:
                context.load_verify_locations(cadata=self._ca)
            return context


def _certificates(ca_file: str | os.PathLike[str]) -> str:
    advice = "give a PEM file that holds `-----BEGIN CERTIFICATE-----`"
    try:
        with open(ca_file, encoding="ascii", errors="replace") as file:
            text = file.read()
        with entered():
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except OSError as reason:
        # What OpenSSL finds wrong with the content comes as an OSError, too.
        what = "holds no certificate that can be read" if isinstance(reason, ssl.SSLError) else reason.strerror
    except ValueError:
        what = "holds no certificate"
    else:
        return text
    raise InvalidError("ca-certificates-invalid", f"the CA file {os.fspath(ca_file)}: {what}; {advice}")


def _present(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    try:
        for path in (certificate.certificate_file, certificate.private_key_file):
            about = os.stat(path)
            if not stat.S_ISREG(about.st_mode) or about.st_size > _LIMIT:
                raise OSError("not a regular file of at most 64 KiB")
        with entered():
            # With a password to give, OpenSSL does not ask for one on the terminal.
            context.load_cert_chain(certificate.certificate_file, certificate.private_key_file, password="")
    except (OSError, ValueError) as reason:
        # For the operator: the component is told only that there is no certificate.
        _log.warning("the client certificate %s cannot be presented: %s", certificate, reason)
        raise NoCertificate from None
