"""Where credentials may be sent."""

import pytest

from privet.client.addresses import Address
from privet.client.errors import Insecure
from privet.model.errors import InvalidRequest


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://privet.example.com", "https://privet.example.com"),
        ("https://privet.example.com/", "https://privet.example.com"),
        ("HTTPS://Privet.Example.com:8443/data/", "https://privet.example.com:8443/data"),
        ("grpc+tls://privet.example.com", "grpc+tls://privet.example.com:8815"),
        ("grpc+tls://[::1]:9000", "grpc+tls://[::1]:9000"),
        (" http://127.0.0.1:8083\n", "http://127.0.0.1:8083"),
    ],
)
def test_an_address_reads_back_normalised(url: str, shown: str) -> None:
    """Case, a last slash and white space do not make another address."""
    assert str(Address.parse(url)) == shown


@pytest.mark.parametrize(
    "url",
    [
        "",
        "privet.example.com",
        "ftp://privet.example.com",
        "https://",
        "https://host:99999",
        "https://host:port",
        "https://[::1",
        "grpc+tls://host/path",
        "https://host?token=1",
        "https://host#x",
        "https://user:secret@host",
        "https://user@host",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    """Anything else is refused, and credentials in an address never reach the message."""
    with pytest.raises(InvalidRequest) as refused:
        Address.parse(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_plain_and_unverified_are_for_this_machine(host: str) -> None:
    """Loopback may be plain or unverified."""
    for scheme in ("http", "https", "grpc", "grpc+tls"):
        assert Address.parse(f"{scheme}://{host}").check_safe(verify=False).loopback


@pytest.mark.parametrize(
    "host", ["localhost.example.com", "127.0.0.1.example.com", "128.0.0.1", "0.0.0.0", "[::2]"]
)
@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_a_token_never_travels_in_the_clear(scheme: str, host: str) -> None:
    """What merely looks like loopback does not count."""
    with pytest.raises(Insecure):
        Address.parse(f"{scheme}://{host}").check_safe(verify=True)


@pytest.mark.parametrize("scheme", ["https", "grpc+tls"])
def test_other_machines_are_always_verified(scheme: str) -> None:
    """`verify=False` is refused for them."""
    address = Address.parse(f"{scheme}://privet.example.com")
    assert address.check_safe(verify=True) is address
    with pytest.raises(Insecure):
        address.check_safe(verify=False)
