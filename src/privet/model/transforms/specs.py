"""The table of transforms.

Ranks order by protectiveness (design of the law, rule 7); they choose only within the union of
grants.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from privet.model.errors import Position, UnknownName
from privet.model.transforms.kinds import (
    is_exact_decimal,
    is_measure,
    is_moment,
    is_scalar,
    is_text,
    is_tokenizable,
    takes_noise,
)

CLEAR_RANK = 0
CASE_RANK = 5
NOISE_RANK = 8
COARSE_RANK = 10
TOKEN_RANK = 20
PER_TABLE_RANK = 30
PER_PRINCIPAL_RANK = 40
HASH_RANK = 50
RANDOM_RANK = 60
CARD_RANK = 65
MASK_RANK = 70
ZERO_RANK = 80
NULL_RANK = 90

UNITS = ("year", "quarter", "month", "week", "day", "hour")
"""Units of time that moments are truncated to."""
_MOST_DIGITS = 38
_LARGEST = math.inf
_WIDEST = 2**31
_SIZES_OF_ZIP = (32, 64)

Fits = Callable[[pa.DataType], bool]
Suits = Callable[[pa.DataType, tuple[Any, ...]], bool]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a transform takes besides the column: a constant of one of some Python types.

    A number lies between `least` and `most`; a text is one of `choices`.
    """

    name: str
    types: tuple[type, ...]
    required: bool = False
    least: float = 0
    most: float = _LARGEST
    choices: tuple[str, ...] = ()

    def admits(self, value: object) -> bool:
        """Whether a constant can be given for it."""
        if type(value) not in self.types:
            return False
        if isinstance(value, str):
            return value in self.choices
        assert isinstance(value, int | Decimal)
        return self.least <= value <= self.most

    @property
    def says(self) -> str:
        """What it takes, in words."""
        words = [f"`{self.name}`:"]
        if self.choices:
            words.append(" or ".join(f"'{c}'" for c in self.choices))
        if int in self.types:
            number = "a number" if Decimal in self.types else "a whole number"
            limit = "" if self.most == _LARGEST else f" to {self.most:g}"
            between = f"{number} from {self.least:g}{limit}"
            words.append(f"or {between}" if self.choices else between)
        return " ".join(words)


def _always(_kind: pa.DataType, _values: tuple[Any, ...]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class TransformSpec:
    """A transform's name, rank, parameters and column types.

    `fits` says by type alone, `suits` by type and arguments whether it can be applied.
    """

    name: str
    rank: int
    fits: Fits = field(compare=False)
    says: str = ""
    """How the English form puts it: "with phi:mrn `tokenized`"."""
    shows: str = ""
    """What can still be told from what it makes."""
    aliases: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    suits: Suits = field(default=_always, compare=False)
    keyed: bool = False
    per_table: bool = False
    random: bool = False
    """Whether equal cells come out different."""
    dated: bool = False
    """Whether it depends on the day on which it is asked."""


def _zip_fits(kind: pa.DataType) -> bool:
    return is_text(kind) or (pat.is_integer(kind) and kind.bit_width in _SIZES_OF_ZIP)


def _truncate_suits(kind: pa.DataType, values: tuple[Any, ...]) -> bool:
    (size,) = values
    if is_moment(kind):
        return isinstance(size, str)
    return isinstance(size, int) and (size >= 0 or not is_text(kind))


def _bucket_suits(kind: pa.DataType, values: tuple[Any, ...]) -> bool:
    """A width has to be a multiple of the smallest step of the type."""
    (width,) = values
    if is_exact_decimal(kind):
        steps = Decimal(width).scaleb(kind.scale)
        return steps == steps.to_integral_value() and 1 <= steps < _WIDEST
    return pat.is_floating(kind) or isinstance(width, int)


_COARSER = "order, and all that is left of the value"
_EQUAL = "which cells are equal and how often each occurs"
_FORMAT = f"{_EQUAL}; of text its length, separators and kinds of characters"


def _token(
    name: str, says: str, shows: str, *aliases: str, per_table: bool = False
) -> TransformSpec:
    rank = PER_TABLE_RANK if per_table else TOKEN_RANK
    where = "in one dataset" if per_table else "in every dataset of the domain"
    return TransformSpec(
        name,
        rank,
        is_tokenizable,
        says,
        f"{where}: {shows}",
        aliases,
        keyed=True,
        per_table=per_table,
    )


_DIGITS = Parameter("digits", (int,), least=-_MOST_DIGITS, most=_MOST_DIGITS)
SPECS: tuple[TransformSpec, ...] = (
    _token("tokenize", "tokenized", _FORMAT, "fp_ref_tokenize", "fpt_ref"),
    _token(
        "tokenize_no_ref",
        "tokenized per dataset",
        _FORMAT,
        "fpt",
        "fp_noref_tokenize",
        per_table=True,
    ),
    _token("nfp_ref_tokenize", "replaced by an opaque token", _EQUAL),
    _token("nfp_noref_tokenize", "replaced by an opaque token per dataset", _EQUAL, per_table=True),
    TransformSpec(
        "fp_random",
        RANDOM_RANK,
        is_scalar,
        "replaced by chance within its format",
        "of text its length, separators and kinds of characters",
        random=True,
    ),
    TransformSpec(
        "nfp_random", RANDOM_RANK, is_scalar, "replaced by chance", "nothing", random=True
    ),
    TransformSpec(
        "hash", HASH_RANK, is_tokenizable, "replaced by a short keyed digest", _EQUAL, keyed=True
    ),
    TransformSpec(
        "sha2", HASH_RANK, is_tokenizable, "replaced by a keyed digest", _EQUAL, keyed=True
    ),
    TransformSpec(
        "mask",
        MASK_RANK,
        is_scalar,
        "masked",
        "of text its length, spaces, punctuation and symbols",
        parameters=(Parameter("start", (int,)), Parameter("length", (int,))),
    ),
    TransformSpec(
        "mask_ccn",
        CARD_RANK,
        is_text,
        "masked but for the last four",
        "the last four letters or digits, and what mask shows",
    ),
    TransformSpec("zero", ZERO_RANK, is_scalar, "set to zero or empty", "whether it is NULL"),
    TransformSpec("null", NULL_RANK, lambda _: True, "set to NULL", "nothing"),
    TransformSpec(
        "phi_age", COARSE_RANK, is_measure, "with ages of 90 and over as 90", "the age below 90"
    ),
    TransformSpec("phi_date", COARSE_RANK, is_moment, "cut to the year", "the year"),
    TransformSpec(
        "phi_dob",
        COARSE_RANK,
        is_moment,
        "cut to the year, no more than 90 years ago",
        "the year",
        dated=True,
    ),
    TransformSpec(
        "phi_zip3",
        COARSE_RANK,
        _zip_fits,
        "cut to three digits of a ZIP code",
        "the area, if more than 20,000 people live there",
    ),
    TransformSpec("round", COARSE_RANK, is_measure, "rounded", _COARSER, parameters=(_DIGITS,)),
    TransformSpec(
        "bucket",
        COARSE_RANK,
        lambda kind: is_measure(kind) or is_moment(kind),
        "put into buckets",
        _COARSER,
        parameters=(Parameter("width", (int, Decimal), required=True, least=1e-9, most=_WIDEST),),
        suits=_bucket_suits,
    ),
    TransformSpec(
        "truncate",
        COARSE_RANK,
        lambda kind: is_text(kind) or is_measure(kind) or is_moment(kind),
        "truncated",
        _COARSER,
        parameters=(
            Parameter("size", (int, str), required=True, least=-_MOST_DIGITS, choices=UNITS),
        ),
        suits=_truncate_suits,
    ),
    TransformSpec(
        "diff_privacy",
        NOISE_RANK,
        takes_noise,
        "changed by noise",
        "about the number; asked often enough, the number itself",
        parameters=(Parameter("noise", (int, Decimal), least=1e-9, most=1e12),),
        random=True,
    ),
    TransformSpec("lower", CASE_RANK, is_text, "in lower case", "the text but for its case"),
    TransformSpec("upper", CASE_RANK, is_text, "in upper case", "the text but for its case"),
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
