"""Every error a user can meet, with one root.

Messages are lower-case sentences without a full stop, user input in backticks, and never hold a
cell value or the name of an object that the reader may not see. Doors map the class to their
protocol's status; nothing below a door catches them except to add to them.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple


class Position(NamedTuple):
    """Where in a statement something stands: 1-based line and column, 0-based offset."""

    line: int
    column: int
    offset: int


class PrivetError(Exception):
    """The root. `code` is stable and machine-readable; `hint` says what to do next."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(
        self, message: str, *, hint: str = "", position: Position | None = None, audit_id: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.position = position
        self.audit_id = audit_id

    def __str__(self) -> str:
        where = (
            f" at line {self.position.line}, column {self.position.column}" if self.position else ""
        )
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.message}{where}{hint}"


class InvalidRequest(PrivetError):
    """The request itself is wrong: a name, a type, an option, a combination."""

    code = "invalid_request"
    status = 400


class ParseFailed(InvalidRequest):
    """A statement that the grammar does not admit."""

    code = "parse_failed"


class UnknownName(InvalidRequest):
    """A statement names a tag, role, function, column or object that does not exist."""

    code = "unknown_name"


class TypeMismatch(InvalidRequest):
    """An expression or transform that does not fit the type of a column."""

    code = "type_mismatch"


class StatementFailed(InvalidRequest):
    """A statement that was understood and could not be computed: a cast, a range, a function."""

    code = "statement_failed"


class NotExpressible(InvalidRequest):
    """What another engine could not say or do with the same meaning, so it is not told to."""

    code = "not_expressible"
    status = 422


class ResourcesExceeded(PrivetError):
    """A statement that needs more memory, time or depth than one may use."""

    code = "resources_exceeded"
    status = 422


class Busy(PrivetError):
    """Everything that could work on it is taken; the hint says what to do."""

    code = "busy"
    status = 503


class Unauthenticated(PrivetError):
    """No credentials, or credentials that do not hold: wrong, expired, forged, revoked."""

    code = "unauthenticated"
    status = 401


class TooManyAttempts(PrivetError):
    """Too many failed or simultaneous logins; the hint says when to try again."""

    code = "too_many_attempts"
    status = 429


class RateLimited(PrivetError):
    """More than somebody may have in a while; the hint says when to ask again."""

    code = "rate_limited"
    status = 429


class KeyVersionRetired(PrivetError):
    """A key version of a token domain that is no longer in use, or that there never was."""

    code = "key_version_retired"
    status = 410


class Forbidden(PrivetError):
    """The principal is known, and lacks the right to administer this."""

    code = "forbidden"
    status = 403


class NotFound(PrivetError):
    """No such thing, or nothing of it is visible to this principal: the two read alike."""

    code = "not_found"
    status = 404


class Conflict(PrivetError):
    """It exists already, or somebody changed it since it was read."""

    code = "conflict"
    status = 409


class SchemaChanged(PrivetError):
    """The source no longer has the columns that were reviewed."""

    code = "schema_changed"
    status = 409


class SourceUnavailable(PrivetError):
    """The source is gone, refuses us, or broke while it was read."""

    code = "source_unavailable"
    status = 502


class SourceInvalid(PrivetError):
    """The source can be reached and its content cannot be read as what it was registered as."""

    code = "source_invalid"
    status = 422


class AuditUnavailable(PrivetError):
    """The audit log could not be written, so nothing may be read."""

    code = "audit_unavailable"
    status = 503


class StoreUnavailable(PrivetError):
    """The store (catalog database) did not answer or could not be written."""

    code = "store_unavailable"
    status = 503


class KeyUnavailable(PrivetError):
    """A key is missing, unreadable, of the wrong length or too widely readable."""

    code = "key_unavailable"
    status = 503


class AttributesUnavailable(PrivetError):
    """What is known of a user could not be found out, and without it nothing may be decided."""

    code = "attributes_unavailable"
    status = 503


class Revoked(PrivetError):
    """A running scan was ended: by the end of its token, a time limit, or a revocation."""

    code = "revoked"
    status = 401


class Cancelled(PrivetError):
    """Somebody who may do so called off what was running."""

    code = "cancelled"
    status = 409


class CalledOff(Cancelled):
    """It was not the call that reads it: an order by its id, or the end of the server."""

    code = "called_off"


class ConfigurationInvalid(PrivetError):
    """Settings that contradict each other or are only half set; the server does not start."""

    code = "configuration_invalid"
