"""The transforms by name: what a policy may say, not how it is done.

`privet.policy` checks statements against this table, `privet.privacy` implements it, and neither
knows the other. Ranks order by protectiveness (design of the law, rule 7); they choose only
within the union of grants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import CanonicalType
from privet.model.errors import InvalidRequest, Position, TypeMismatch, UnknownName
from privet.model.expressions import Call, ColumnSlot, Literal

CLEAR_RANK = 0
TOKEN_RANK = 20
PER_TABLE_RANK = 30
PER_PRINCIPAL_RANK = 40
HASH_RANK = 50
MASK_RANK = 70
ZERO_RANK = 80
NULL_RANK = 90

Fits = Callable[[pa.DataType], bool]


def is_text(kind: pa.DataType) -> bool:
    """Whether values are Unicode text."""
    return pat.is_string(kind) or pat.is_large_string(kind) or pat.is_string_view(kind)


def _tokenizable(kind: pa.DataType) -> bool:
    return is_text(kind) or pat.is_int32(kind) or pat.is_int64(kind)


def _maskable(kind: pa.DataType) -> bool:
    return (
        is_text(kind)
        or pat.is_integer(kind)
        or pat.is_floating(kind)
        or pat.is_decimal(kind)
        or pat.is_boolean(kind)
        or pat.is_date(kind)
        or pat.is_timestamp(kind)
    )


@dataclass(frozen=True, slots=True)
class TransformSpec:
    """A transform's name, rank, extra parameters (Python types, all optional) and column types."""

    name: str
    rank: int
    fits: Fits = field(compare=False)
    says: str = ""
    """How the English form puts it: "with phi:mrn `tokenized`"."""
    aliases: tuple[str, ...] = ()
    parameters: tuple[type, ...] = ()
    keyed: bool = False
    per_table: bool = False


SPECS: tuple[TransformSpec, ...] = (
    TransformSpec(
        "tokenize",
        TOKEN_RANK,
        _tokenizable,
        "tokenized",
        aliases=("fp_ref_tokenize", "fpt_ref"),
        keyed=True,
    ),
    TransformSpec(
        "tokenize_no_ref",
        PER_TABLE_RANK,
        _tokenizable,
        "tokenized per dataset",
        aliases=("fpt", "fp_noref_tokenize"),
        keyed=True,
        per_table=True,
    ),
    TransformSpec(
        "nfp_ref_tokenize", TOKEN_RANK, _tokenizable, "replaced by an opaque token", keyed=True
    ),
    TransformSpec(
        "nfp_noref_tokenize",
        PER_TABLE_RANK,
        _tokenizable,
        "replaced by an opaque token per dataset",
        keyed=True,
        per_table=True,
    ),
    TransformSpec("sha2", HASH_RANK, _tokenizable, "replaced by a keyed digest", keyed=True),
    TransformSpec("mask", MASK_RANK, _maskable, "masked", parameters=(int, int)),
    TransformSpec("zero", ZERO_RANK, _maskable, "set to zero or empty"),
    TransformSpec("null", NULL_RANK, lambda _: True, "set to NULL"),
)

_BY_NAME = {name: spec for spec in SPECS for name in (spec.name, *spec.aliases)}


def find_spec(name: str) -> TransformSpec | None:
    """The transform of that name or alias."""
    return _BY_NAME.get(name)


def get_spec(name: str, position: Position | None = None) -> TransformSpec:
    """The transform of that name or alias.

    Raises:
        UnknownName: there is none.
    """
    spec = _BY_NAME.get(name)
    if spec is None:
        known = ", ".join(s.name for s in SPECS)
        raise UnknownName(f"unknown transform `{name}`", hint=f"one of {known}", position=position)
    return spec


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


def check_call(call: Call) -> TransformSpec:
    """Check one transform call as written: name, column slot first, literal arguments.

    Raises:
        UnknownName: no such transform.
        InvalidRequest: wrong arguments.
    """
    spec = get_spec(call.function, call.position)
    extra = call.arguments[1:]
    well_formed = (
        call.arguments[:1] == (ColumnSlot(),)
        and len(extra) <= len(spec.parameters)
        and all(
            isinstance(a, Literal) and type(a.value) is p
            for a, p in zip(extra, spec.parameters, strict=False)
        )
    )
    if not well_formed:
        takes = ", ".join(p.__name__ for p in spec.parameters) or "no arguments"
        raise InvalidRequest(
            f"wrong arguments to `{call.function}`",
            hint=f"besides the column it takes {takes}",
            position=call.position,
        )
    return spec


def check_fit(spec: TransformSpec, kind: pa.DataType, canonical: CanonicalType | None) -> None:
    """Check that a transform can be applied to a column of a type in a domain.

    `canonical` is that of the token domain for keyed transforms, None where there is no domain.

    Raises:
        TypeMismatch: it cannot; the column is hidden instead.
    """
    fits = spec.fits(kind)
    if fits and spec.keyed and canonical is CanonicalType.TEXT:
        fits = is_text(kind)
    if not fits:
        domain = f" in a domain of {canonical}" if canonical and spec.keyed else ""
        raise TypeMismatch(f"`{spec.name}` does not fit columns of type `{kind}`{domain}")
