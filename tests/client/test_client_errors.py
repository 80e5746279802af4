"""A server's error arrives as the class that was raised there."""

import json

import pyarrow as pa
import pytest
from pyarrow import flight

from privet.client.errors import Unreachable, from_http
from privet.client.flight_errors import from_flight, translated
from privet.model import errors
from privet.model.errors import (
    Forbidden,
    NotFound,
    ParseFailed,
    Position,
    PrivetError,
    SchemaChanged,
    Unauthenticated,
)

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, PrivetError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_class_of_the_model_survives_both_doors(kind: type[PrivetError]) -> None:
    """The code alone decides the class; message, hint and audit id come along."""
    answer = {"code": kind.code, "message": "it is so", "hint": "do that", "audit_id": "7"}
    body = json.dumps(answer).encode()
    for error in (from_http(500, body), from_flight(flight.FlightServerError("x", body))):
        assert type(error) is kind
        assert (error.message, error.hint, error.audit_id) == ("it is so", "do that", "7")


def test_problem_details_carry_the_position() -> None:
    """`detail` is the sentence of problem details, and a position comes back whole."""
    problem = {
        "type": "about:blank",
        "title": "parse failed",
        "status": 400,
        "code": "parse_failed",
        "detail": "expected TO",
        "position": {"line": 2, "column": 5, "offset": 30},
    }
    error = from_http(400, json.dumps(problem).encode())
    assert type(error) is ParseFailed
    assert error.message == "expected TO"
    assert error.position == Position(2, 5, 30)


@pytest.mark.parametrize("position", [None, 3, {}, {"line": 1}, {"line": "1", "column": "2"}])
def test_half_a_position_is_none(position: object) -> None:
    """What is not a whole position is left out."""
    body = json.dumps({"code": "parse_failed", "detail": "x", "position": position}).encode()
    assert from_http(400, body).position is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequest),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (409, errors.Conflict),
        (502, PrivetError),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"{}", b'{"code": "of the future"}'])
def test_without_a_known_code_the_status_decides(
    status: int, kind: type[PrivetError], body: bytes
) -> None:
    """A proxy's page or a later server's code still gives a typed error."""
    error = from_http(status, body)
    assert type(error) is kind
    assert error.message


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (flight.FlightUnauthenticatedError("no"), Unauthenticated),
        (flight.FlightUnauthorizedError("no"), Forbidden),
        (flight.FlightUnavailableError("no"), Unreachable),
        (flight.FlightTimedOutError("no"), Unreachable),
        (flight.FlightInternalError("no"), PrivetError),
        (pa.ArrowInvalid("no"), PrivetError),
        (OSError("no"), Unreachable),
    ],
)
def test_what_pyarrow_raises_never_escapes(raised: BaseException, kind: type[PrivetError]) -> None:
    """Every kind of failure of a connection becomes an error of ours, with its cause."""
    with pytest.raises(kind) as caught, translated():
        raise raised
    assert type(caught.value) is kind
    assert caught.value.__cause__ is raised


def test_debug_text_of_the_transport_is_cut() -> None:
    """Only the sentence is shown, not the transport's context."""
    raised = flight.FlightInternalError(
        "Flight returned internal error, with message: it broke. Detail: Failed. "
        "gRPC client debug context: UNKNOWN:Error received from peer"
    )
    assert from_flight(raised).message == "it broke"


def test_our_own_errors_pass_through() -> None:
    """An error of the model is not wrapped again."""
    with pytest.raises(SchemaChanged), translated():
        raise SchemaChanged("it changed")
