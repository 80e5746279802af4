"""Which certificate authorities are trusted."""

import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from privet.client.trust import flight_roots, read_ca, ssl_context
from privet.model.errors import InvalidRequest


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """A file with the certificate of a new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "privet test")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "ca.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path


def test_a_ca_is_trusted_besides_the_systems(ca: Path) -> None:
    """The file adds to what the system trusts, for HTTP and for Flight."""
    context = ssl_context(ca, verify=True)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert any(
        entry["subject"] == ((("commonName", "privet test"),),) for entry in context.get_ca_certs()
    )
    roots = flight_roots(ca)
    assert roots is not None
    assert roots.startswith(ca.read_bytes())


def test_without_a_ca_the_system_decides() -> None:
    """Verification is on, and gRPC finds the system's authorities itself."""
    assert ssl_context(None, verify=True).verify_mode is ssl.CERT_REQUIRED
    assert flight_roots(None) is None


@pytest.mark.parametrize("content", [b"", b"not a certificate", b"\xff\xfe", None])
def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """It is refused before anything is sent, and the message names the file."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"ca\.pem"):
        read_ca(path)
