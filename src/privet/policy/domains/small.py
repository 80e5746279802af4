"""Refuses format-preserving tokens for columns whose values have few to hide among."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from privet.model.datasets import Dataset
from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName
from privet.model.permissions import Permission, TransformClause
from privet.model.tokens import Profile
from privet.model.transforms import specs_of
from privet.policy.bound import held_by

Profiles = Mapping[tuple[DatasetName, str], Profile]
"""What samples said about columns, by dataset and column."""

NO_PROFILES: Profiles = MappingProxyType({})
_PROPERTY = "small_domain"
_ALLOWED = "allow"
_FEWEST_CELLS = 10
_KEEPS_FORMAT = frozenset({"tokenize", "tokenize_no_ref"})


def check_small_domains(
    permission: Permission, covered: Iterable[Dataset], profiles: Profiles
) -> None:
    """Check that no column is given format-preserving tokens that would mostly be none.

    Raises:
        InvalidRequest: for a column with a profile most values are of formats with fewer than a
            million possibilities, or have no format, and the permission does not allow that.
    """
    if permission.properties.get(_PROPERTY) == _ALLOWED:
        return
    keeping = [clause for clause in permission.transforms if _keeps_format(clause)]
    for dataset in covered if keeping else ():
        for column in dataset.columns:
            profile = profiles.get((dataset.name, column.name))
            if profile is None or profile.sampled < _FEWEST_CELLS or not profile.mostly_small:
                continue
            held = held_by(column, dataset)
            for clause in keeping:
                if column.reviewed and held.meets(clause.tags):
                    raise _small(f"{dataset.name}.{column.name}", clause)


def _keeps_format(clause: TransformClause) -> bool:
    return any(spec.name in _KEEPS_FORMAT for spec in specs_of(clause.call))


def _small(column: str, clause: TransformClause) -> InvalidRequest:
    return InvalidRequest(
        f"most values of column `{column}` have fewer than a million others of their format to "
        "hide among, or no format at all",
        hint="use `nfp_ref_tokenize` or `mask`, or accept opaque tokens for them with "
        "POLICYPROPERTIES('small_domain'='allow')",
        position=clause.call.position,
    )
