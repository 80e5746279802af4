"""JSON that two readers could take differently is refused; the rest is read as it stands."""

import pytest

from privet.model.errors import InvalidRequest
from privet.model.strict_json import read_json


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        (b"null", None),
        (b'{"a": {"b": 1}, "b": [1, 2.5]}', {"a": {"b": 1}, "b": [1, 2.5]}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b"9223372036854775807", 2**63 - 1),
        (b'"\\\\u0000"', "\\u0000"),
    ],
)
def test_what_is_plain_is_read(sent: bytes, value: object) -> None:
    """Also whole surrogate pairs, the largest number, and a backslash before u0000."""
    assert read_json(sent) == value


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b"1 2",
        b"\xff",
        b"\xef\xbb\xbfnull",
        b'{"a": 1, "a": 2}',
        b'[{"a": {"b": 1, "b": 1}}]',
        b'"\\ud800"',
        b'{"\\udc00": 1}',
        b'"a\\u0000b"',
        b'{"\\u0000": 1}',
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"9223372036854775808",
        b"1" * 5000,
        b"[" * 100_000,
    ],
)
def test_what_is_not_is_refused(sent: bytes) -> None:
    """As invalid, without repeating it."""
    with pytest.raises(InvalidRequest) as refused:
        read_json(sent)
    assert len(str(refused.value)) < 200
