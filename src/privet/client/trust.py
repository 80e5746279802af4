"""Which certificate authorities are trusted: the system's, and one file on top of them."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from privet.model.errors import InvalidRequest

CaFile = str | os.PathLike[str]

# Where distributions keep their bundle, for interpreters built with other paths.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def read_ca(ca: CaFile) -> bytes:
    """Read a file of certificates and check that it is one.

    Raises:
        InvalidRequest: the file cannot be read or holds no certificate.
    """
    try:
        pem = Path(ca).expanduser().read_bytes()
    except OSError as error:
        raise _unusable(ca, error.strerror or "it cannot be read") from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise _unusable(ca, "there is no certificate in it") from error
    return pem


def _unusable(ca: CaFile, reason: str) -> InvalidRequest:
    return InvalidRequest(
        f"the CA file `{os.fspath(ca)}` cannot be used: {reason}",
        hint="PRIVET_CA or `ca` names a PEM file with the certificate of the server's CA",
    )


def ssl_context(ca: CaFile | None, *, verify: bool) -> ssl.SSLContext:
    """The TLS settings for HTTP: the system's CAs and `ca`, or none at all."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca is not None:
        context.load_verify_locations(cadata=read_ca(ca).decode("ascii"))
    return context


def flight_roots(ca: CaFile | None) -> bytes | None:
    """The trusted certificates for gRPC as PEM; None leaves gRPC to find the system's itself."""
    if ca is None:
        return None
    return read_ca(ca) + b"\n" + _system_bundle()


def _system_bundle() -> bytes:
    candidates = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    for path in candidates:
        if path and os.access(path, os.R_OK):
            return Path(path).read_bytes()
    return b""
