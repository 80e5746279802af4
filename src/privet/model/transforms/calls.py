"""Calls of transforms: what may be written, and what it can be applied to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from privet.model.datasets import CanonicalType
from privet.model.errors import InvalidRequest, TypeMismatch
from privet.model.expressions import Call, ColumnSlot, Expr, Literal
from privet.model.transforms.kinds import is_text
from privet.model.transforms.specs import TransformSpec, get_spec

SIGNED_USER = "signed_user"
"""The argument that makes tokens the reader's own: `tokenize(__COLUMN__, signed_user(TRUE))`."""
_PER_USER = Call(SIGNED_USER, (Literal(True),))


def steps(call: Call) -> tuple[Call, ...]:
    """The calls of a nested transform, innermost first, each on the column slot."""
    inner = call.arguments[0] if call.arguments else None
    if not isinstance(inner, Call):
        return (call,)
    own = replace(call, arguments=(ColumnSlot(), *call.arguments[1:]))
    return (*steps(inner), own)


def specs_of(call: Call) -> tuple[TransformSpec, ...]:
    """The transforms of a call and of those nested in it, innermost first, checked as written.

    Raises:
        UnknownName: no such transform.
        InvalidRequest: wrong arguments.
    """
    return tuple(map(check_call, steps(call)))


def is_per_user(step: Call) -> bool:
    """Whether a call asks for tokens of the reader's own."""
    return _is_signed(step.arguments[-1]) if step.arguments else False


def values_of(step: Call) -> tuple[Any, ...]:
    """The constants of a call, without that which makes tokens the reader's own."""
    return tuple(a.value for a in step.arguments[1:] if isinstance(a, Literal))


def check_call(call: Call) -> TransformSpec:
    """Check one transform call as written: name, column slot first, then constants.

    Raises:
        UnknownName: no such transform.
        InvalidRequest: wrong arguments.
    """
    spec = get_spec(call.function, call.position)
    extra = call.arguments[1:]
    if spec.keyed and extra and _is_signed(extra[-1]):
        extra = extra[:-1]
    needed = sum(p.required for p in spec.parameters)
    well_formed = (
        call.arguments[:1] == (ColumnSlot(),)
        and needed <= len(extra) <= len(spec.parameters)
        and all(
            isinstance(a, Literal) and p.admits(a.value)
            for a, p in zip(extra, spec.parameters, strict=False)
        )
    )
    if not well_formed:
        takes = ", ".join(p.says for p in spec.parameters) or "no arguments"
        if spec.keyed:
            takes = f"`{SIGNED_USER}(TRUE)` or no arguments"
        raise InvalidRequest(
            f"wrong arguments to `{call.function}`",
            hint=f"besides the column it takes {takes}",
            position=call.position,
        )
    return spec


def check_fit(
    spec: TransformSpec,
    kind: pa.DataType,
    canonical: CanonicalType | None,
    call: Call | None = None,
) -> None:
    """Check that a transform can be applied to a column of a type in a domain.

    `canonical` is that of the token domain for keyed transforms, None where there is no domain.
    With `call`, its arguments have to suit the type too.

    Raises:
        TypeMismatch: it cannot; the column is hidden instead.
    """
    if not spec.fits(kind) or (spec.keyed and not _casts(kind, canonical)):
        domain = f" in a domain of {canonical}" if canonical and spec.keyed else ""
        raise TypeMismatch(f"`{spec.name}` does not fit columns of type `{kind}`{domain}")
    if call is not None and not spec.suits(kind, values_of(call)):
        raise TypeMismatch(f"the arguments of `{spec.name}` do not suit columns of type `{kind}`")


def _casts(kind: pa.DataType, canonical: CanonicalType | None) -> bool:
    """Whether equal values can have equal tokens in a domain.

    Integers in a domain of text cannot: text may write one integer in many ways.
    """
    return canonical is not CanonicalType.TEXT or is_text(kind) or not pa.types.is_integer(kind)


def _is_signed(argument: Expr) -> bool:
    return argument == _PER_USER
