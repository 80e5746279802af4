"""From a call, a column type and a scope to a kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import CanonicalType
from privet.model.errors import InvalidRequest
from privet.model.expressions import Call
from privet.model.transforms import (
    TransformSpec,
    check_call,
    check_fit,
    is_bytes,
    is_moment,
    is_text,
    values_of,
)
from privet.privacy.base import Chance, Derive, Kernel, KeyScope
from privet.privacy.general.masks import Cased, MaskCard, MaskText, Null, Prefix, Zero
from privet.privacy.general.moments import (
    births,
    bucketing_moments,
    truncating_moments,
    years,
)
from privet.privacy.general.noise import Noise
from privet.privacy.general.numbers import aging, bucketing, rounding, truncating
from privet.privacy.general.zip3 import Zip3
from privet.privacy.tokens.chance import RandomOpaque, RandomScalars, RandomText
from privet.privacy.tokens.digests import SIZES, Digest, DigestScalars
from privet.privacy.tokens.integers import TokenizeDecimals, TokenizeIntegers
from privet.privacy.tokens.opaque import OpaqueText
from privet.privacy.tokens.scalars import OpaqueBytes, Overflowing, TokenizeBytes, TokenizeScalars
from privet.privacy.tokens.text import TokenizeText

_FAMILIES = {
    "tokenize": "fp",
    "tokenize_no_ref": "fp",
    "nfp_ref_tokenize": "nfp",
    "nfp_noref_tokenize": "nfp",
    "hash": "hash",
    "sha2": "sha2",
}
_OLDEST = 90


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What some transforms need besides keys: chance, and the day. Both are handed in.

    `chance` gives so many random bytes, never the same again.
    """

    chance: Chance
    today: date


def bind(
    call: Call,
    kind: pa.DataType,
    scope: KeyScope | None,
    derive: Derive,
    circumstances: Circumstances | None = None,
) -> Kernel:
    """The kernel of a transform call for columns of type `kind`.

    Raises:
        UnknownName: no such transform.
        InvalidRequest: wrong arguments; a keyed transform without a scope, or one per dataset
            without the dataset's id in the scope; one of chance or of the day without these.
        TypeMismatch: the transform does not fit the type, or the type the domain.
    """
    spec = check_call(call)
    check_fit(spec, kind, scope.canonical if scope else None, call)
    if spec.random or spec.dated:
        if circumstances is None:
            raise InvalidRequest(f"`{spec.name}` needs chance and the day", position=call.position)
        return _bind_circumstantial(spec, call, kind, circumstances)
    if not spec.keyed:
        return _PLAIN[spec.name](kind, *values_of(call))
    if scope is None:
        raise InvalidRequest(f"`{spec.name}` needs a token domain", position=call.position)
    if spec.per_table and not scope.dataset_id:
        raise InvalidRequest(
            f"`{spec.name}` needs the id of the dataset in its key", position=call.position
        )
    return _bind_keyed(_FAMILIES[spec.name], kind, scope, derive)


def _mask(kind: pa.DataType, *numbers: int) -> Kernel:
    return MaskText(kind, *numbers) if is_text(kind) else Zero(kind)


def _bucket(kind: pa.DataType, width: int | Decimal) -> Kernel:
    return bucketing_moments(kind, int(width)) if is_moment(kind) else bucketing(kind, width)


def _truncate(kind: pa.DataType, size: Any) -> Kernel:
    if is_text(kind):
        return Prefix(kind, size)
    return truncating_moments(kind, size) if is_moment(kind) else truncating(kind, size)


_PLAIN: dict[str, Callable[..., Kernel]] = {
    "null": Null,
    "zero": Zero,
    "mask": _mask,
    "mask_ccn": MaskCard,
    "phi_age": lambda kind: aging(kind, _OLDEST),
    "phi_date": years,
    "phi_zip3": Zip3,
    "round": lambda kind, digits=0: rounding(kind, digits),
    "bucket": _bucket,
    "truncate": _truncate,
    "lower": lambda kind: Cased(kind, upper=False),
    "upper": lambda kind: Cased(kind, upper=True),
}


def _bind_circumstantial(
    spec: TransformSpec, call: Call, kind: pa.DataType, circumstances: Circumstances
) -> Kernel:
    if spec.name == "phi_dob":
        return births(kind, circumstances.today)
    chance = circumstances.chance
    if spec.name == "diff_privacy":
        (scale,) = values_of(call) or (1,)
        return Noise(kind, chance, float(scale))
    if is_text(kind) and spec.name == "fp_random":
        return RandomText(kind, chance)
    if is_text(kind) or _is_bytes(kind):
        return RandomOpaque(kind, chance, sizes=spec.name == "fp_random")
    return RandomScalars(kind, chance)


def _is_bytes(kind: pa.DataType) -> bool:
    return is_bytes(kind) or pat.is_fixed_size_binary(kind)


def _bind_keyed(family: str, kind: pa.DataType, scope: KeyScope, derive: Derive) -> Kernel:
    plain_integers = pat.is_int32(kind) or pat.is_int64(kind)
    if family in SIZES:
        as_written = is_text(kind) or _is_bytes(kind) or plain_integers
        if pat.is_fixed_size_binary(kind) and kind.byte_width > SIZES[family]:
            return Overflowing(kind)
        return (Digest if as_written else DigestScalars)(kind, scope, derive, family)
    if is_text(kind):
        if scope.canonical is CanonicalType.INT64:
            return TokenizeDecimals(kind, scope, derive, family)
        return (
            OpaqueText(kind, scope, derive)
            if family == "nfp"
            else TokenizeText(kind, scope, derive)
        )
    if _is_bytes(kind):
        if family == "nfp" and is_bytes(kind):
            return OpaqueBytes(kind, scope, derive)
        return TokenizeBytes(kind, scope, derive, family)
    if plain_integers:
        return TokenizeIntegers(kind, scope, derive, family)
    return TokenizeScalars(kind, scope, derive, family)
