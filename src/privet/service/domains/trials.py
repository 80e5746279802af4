"""Transforms shown to people: which there are, and what a policy would make of some values."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from privet.catalog import Domain
from privet.model.datasets import CanonicalType, parse_type
from privet.model.errors import InvalidRequest, TypeMismatch
from privet.model.expressions import Call
from privet.model.permissions import AccessLevel, on_token_domain
from privet.model.principals import Principal
from privet.model.transforms import SPECS, TransformSpec, is_per_user, is_text, specs_of, steps
from privet.policy import Need, parse_transform, transform_sql
from privet.privacy import Derive, Kernel, KeyScope, bind
from privet.service.access import Act, administer, authenticate
from privet.service.domains.cells import read_cells, write_cells
from privet.service.domains.forms import fitting_types
from privet.service.platform import Caller, Platform

MOST_VALUES = 1_000
LONGEST_VALUE = 4_096
_LONGEST_PURPOSE = 500
_MOST_STEPS = 8
_NOWHERE = "example"


@dataclass(frozen=True, slots=True)
class Trial:
    """What to try: a transform as after WITH, a column type, values as text; None is NULL.

    With a `domain` its key is used, which is on record with the `purpose`.
    """

    transform: str
    values: Sequence[str | None]
    type: str = "string"
    domain: str | None = None
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it.

    Attributes:
        transform: in its canonical form.
        type: of the column.
        values: one for each, as text; None is NULL.
        overflowed: how many took a token's overflow form.
        domain: whose key made tokens; empty where there are none, or under no real key.
        version: of that key; 0 without.
        made_up: whether tokens were made under a key that exists for this call only.
        shows: what each of the transforms leaves to be seen.
    """

    transform: str
    type: str
    values: tuple[str | None, ...]
    overflowed: int
    domain: str
    version: int
    made_up: bool
    shows: tuple[str, ...]


class Trials:
    """What a steward looks at before a policy is written."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self, caller: Caller) -> tuple[TransformSpec, ...]:
        """All transforms, for everybody who is known."""
        authenticate(self._platform, caller)
        return SPECS

    def run(self, caller: Caller, trial: Trial) -> Tried:
        """Transform values as a policy would.

        Without a domain, tokens are made under a key by chance: they have the form of real ones,
        and tell nothing about any. With one, whoever asks could make a dictionary of its tokens:
        that takes the right to turn tokens back, and counts like it.

        Raises:
            Unauthenticated: the credentials do not hold.
            Forbidden: the caller lacks DETOKENIZE on the domain.
            RateLimited: too many values in an hour.
            ParseFailed, UnknownName: no such transform.
            TypeMismatch: the transform does not fit the type, or the type the domain.
            NotFound: there is no such domain.
            InvalidRequest: wrong arguments or values, or a domain where no key of one is used.
        """
        if trial.domain is None:
            asker = authenticate(self._platform, caller)
            call, column = _read(trial)
            return self._apply(call, column, _Keys(_passing_key(), asker))
        act = Act(
            "token.try",
            trial.domain,
            detail={
                "transform": trial.transform[:_LONGEST_PURPOSE],
                "values": len(trial.values),
                "purpose": trial.purpose[:_LONGEST_PURPOSE],
            },
            needs=(Need(AccessLevel.DETOKENIZE, on_token_domain(trial.domain)),),
        )
        with administer(self._platform, caller, act) as asker:
            call, column = _read(trial)
            _require_shared_key(call)
            domain = self._platform.catalog.domains.get(trial.domain)
            self._platform.catalog.budgets.spend(
                asker, len(column), self._platform.detokenized_an_hour
            )
            return self._apply(call, column, _Keys(self._platform.derive, asker, domain))

    def _apply(self, call: Call, column: pa.Array, keys: _Keys) -> Tried:
        kind = column.type
        kernels = [
            self._kernel(step, spec, kind, keys)
            for step, spec in zip(steps(call), specs_of(call), strict=True)
        ]
        for kernel in kernels:
            column = kernel(column)
        keyed = any(spec.keyed for spec in specs_of(call))
        domain = keys.domain
        return Tried(
            transform=transform_sql(call),
            type=str(kind),
            values=write_cells(column),
            overflowed=sum(kernel.overflowed for kernel in kernels),
            domain=domain.name if domain else "",
            version=domain.version if domain else 0,
            made_up=keyed and domain is None,
            shows=tuple(f"{spec.name}: {spec.shows}" for spec in specs_of(call)),
        )

    def _kernel(self, step: Call, spec: TransformSpec, kind: pa.DataType, keys: _Keys) -> Kernel:
        scope = keys.scope(step, spec, kind)
        try:
            return bind(step, kind, scope, keys.derive, self._platform.circumstances)
        except TypeMismatch as error:
            if not spec.fits(kind):
                fitting = ", ".join(fitting_types(spec))
                error.hint = f"it fits {fitting}; say the type of the column, as in --type int64"
            raise


@dataclass(frozen=True, slots=True)
class _Keys:
    """Under which keys tokens are made, and for whom."""

    derive: Derive
    asker: Principal
    domain: Domain | None = None

    def scope(self, step: Call, spec: TransformSpec, kind: pa.DataType) -> KeyScope | None:
        if not spec.keyed:
            return None
        reader = (self.asker.issuer, self.asker.user) if is_per_user(step) else None
        if self.domain is not None:
            canonical, version = self.domain.canonical, self.domain.version
            return KeyScope(self.domain.name, version, canonical, principal=reader)
        canonical = CanonicalType.TEXT if is_text(kind) else CanonicalType.INT64
        own = _NOWHERE if spec.per_table else ""
        return KeyScope(_NOWHERE, 1, canonical, dataset_id=own, principal=reader)


def _read(trial: Trial) -> tuple[Call, pa.Array]:
    if not 1 <= len(trial.values) <= MOST_VALUES or any(
        value is not None and len(value) > LONGEST_VALUE for value in trial.values
    ):
        raise InvalidRequest(
            f"give 1 to {MOST_VALUES:,} values of at most {LONGEST_VALUE:,} characters",
            hint="try a few: all others are treated alike",
        )
    if len(trial.purpose) > _LONGEST_PURPOSE or not trial.purpose.isprintable():
        raise InvalidRequest(
            "a purpose is one line", hint=f"of at most {_LONGEST_PURPOSE} characters"
        )
    written = trial.transform.strip()
    call = parse_transform(written if written.endswith(")") else f"{written}()")
    if len(steps(call)) > _MOST_STEPS:
        raise InvalidRequest(
            f"that are more than {_MOST_STEPS} transforms in each other", hint="try some of them"
        )
    return call, read_cells(trial.values, parse_type(trial.type))


def _require_shared_key(call: Call) -> None:
    """Refuse a domain where its key would not be used.

    Raises:
        InvalidRequest: the transform has no key, or one that no domain has.
    """
    keyed = [spec for spec in specs_of(call) if spec.keyed]
    if not keyed:
        raise InvalidRequest(
            f"`{transform_sql(call)}` has no key, and so no token domain",
            hint="leave the domain out",
        )
    for spec in keyed:
        if spec.per_table:
            raise InvalidRequest(
                f"`{spec.name}` makes tokens of a dataset's own, not of a domain",
                hint="leave the domain out: the tokens have the same form",
            )


def _passing_key() -> Derive:
    """Keys by chance, that nobody has seen before and nobody will again."""
    made: dict[tuple[str, ...], bytes] = {}

    def derive(*labels: str) -> bytes:
        return made.setdefault(labels, secrets.token_bytes(32))

    return derive
