"""A ticket is a sealed request: opaque, bound to whom it was made for, and short-lived."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcement.plans import NAME, derive
from privet.enforcement import Seal, TicketInvalid
from privet.model.names import DatasetName
from privet.model.principals import Principal
from privet.model.requests import ScanRequest

ADA = Principal("ada", frozenset({"analysts"}))
REQUEST = ScanRequest(NAME, ("charges", "mrn"), 7)


class Clock:
    """Seconds that stand until they are moved."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("request_", [REQUEST, ScanRequest(NAME), ScanRequest(NAME, ("mrn",), 0)])
def test_what_was_asked_for_comes_back(request_: ScanRequest) -> None:
    """All columns and some, no limit and a limit of zero stay different things."""
    seal = Seal(derive)
    assert seal.open(seal.close(request_, ADA), ADA) == request_


def test_another_principal_is_refused() -> None:
    """Neither another user, nor a user of the same name whom somebody else vouches for."""
    seal = Seal(derive)
    ticket = seal.close(REQUEST, ADA)
    for other in (Principal("eve"), Principal("ada", issuer="elsewhere"), Principal("Ada")):
        with pytest.raises(TicketInvalid):
            seal.open(ticket, other)
    assert seal.open(ticket, Principal("ada", frozenset({"other"}))) == REQUEST


def test_tickets_end() -> None:
    """After its lifetime, and far ahead of its time, a ticket is worth nothing."""
    clock = Clock()
    seal = Seal(derive, lifetime=timedelta(minutes=10), clock=clock)
    ticket = seal.close(REQUEST, ADA)
    clock.now += 600
    assert seal.open(ticket, ADA) == REQUEST
    for moment in (601.0, -3600.0):
        clock.now = 1_700_000_000.0 + moment
        with pytest.raises(TicketInvalid):
            seal.open(ticket, ADA)


def test_keys_make_the_difference() -> None:
    """A ticket of another installation is refused."""
    ticket = Seal(partial(derive, "another master key")).close(REQUEST, ADA)
    with pytest.raises(TicketInvalid):
        Seal(derive).open(ticket, ADA)


@given(data=st.data())
@settings(deadline=None, max_examples=200)
def test_altered_tickets_are_refused_with_one_text(data: st.DataObject) -> None:
    """Whichever byte is changed, added or left out."""
    seal = Seal(derive)
    raw = base64.urlsafe_b64decode(seal.close(REQUEST, ADA))
    at = data.draw(st.integers(0, len(raw) - 1))
    change = data.draw(st.integers(1, 255))
    altered = raw[:at] + bytes([raw[at] ^ change]) + raw[at + 1 :]
    for bad in (altered, raw[:at], raw + raw[: at + 1]):
        with pytest.raises(TicketInvalid, match="not valid, has expired or belongs to somebody"):
            seal.open(base64.urlsafe_b64encode(bad), ADA)


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_garbage_is_refused(garbage: bytes) -> None:
    """Bytes that were never a ticket raise the same and nothing else."""
    with pytest.raises(TicketInvalid) as refused:
        Seal(derive).open(garbage, ADA)
    assert refused.value.status == 401


def test_nothing_is_readable_in_a_ticket() -> None:
    """Neither names nor columns, and two tickets for the same do not look alike."""
    seal = Seal(derive)
    # Long ones: chance writes short words into any ticket now and then.
    request = ScanRequest(DatasetName("hospital", "patients"), ("charges", "diagnosis"), 7)
    reader = replace(ADA, user="lovelace")
    one, two = (seal.close(request, reader) for _ in range(2))
    for raw in (one, base64.urlsafe_b64decode(one)):
        for word in (b"lovelace", b"privet", b"hospital", b"patients", b"charges", b"diagnosis"):
            assert word not in raw
        assert b"columns" not in raw
    assert one != two
