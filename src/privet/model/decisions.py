"""What the policy decided, as data: denials too. Only `require` raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from privet.model.datasets import Column, Dataset
from privet.model.errors import NotFound
from privet.model.expressions import Call, Expr
from privet.model.names import DatasetName, FieldPath
from privet.model.permissions import Permission
from privet.model.principals import Principal


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision rests on, at one version of the catalog.

    `permissions` are the grants to `roles` that may cover `name`; `roles` are the principal's.
    `safeguards` are the denials and restrictions that may cover it, from any role that the
    principal's issuer says they hold, also those that their token leaves out.
    """

    version: int
    name: DatasetName
    dataset: Dataset | None
    roles: frozenset[str] = frozenset()
    permissions: tuple[Permission, ...] = ()
    safeguards: tuple[Permission, ...] = ()
    through: Definer | None = None
    remembered: list[Decision] = field(
        init=False, compare=False, repr=False, default_factory=list["Decision"]
    )
    """The last decision on these facts, if it depends on nothing but them and who asks."""


@dataclass(frozen=True, slots=True)
class Definer:
    """By whose grants somebody reads what is behind a view: `permissions` and `roles` are theirs.

    `user` stands for them in the names of objects; `asking` are the roles of the reader. `others`
    are the users on the way to the reader, whom safeguards bind as well.
    """

    user: str
    asking: frozenset[str]
    others: frozenset[str] = frozenset()


class Verdict(StrEnum):
    """What a principal gets of a column: `partly` when it differs from row to row."""

    CLEAR = "clear"
    TRANSFORMED = "transformed"
    PARTLY = "partly"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class TransformUse:
    """A transform as it will be applied to one column.

    `domain` names the token domain; `admitted` is false when the dataset is not in it and tokens
    are made under the dataset's own key; `per_principal` when the key is the reader's own.
    """

    call: Call
    domain: str = ""
    admitted: bool = False
    per_principal: bool = False


@dataclass(frozen=True, slots=True)
class CellOption:
    """One way to show a cell, where any of the row filters with these indexes holds.

    `transform` is None for a clear cell. With `fields` it is these that are seen of the cell, each
    with all that is in it; in a row with several such options, what any of them shows.
    """

    transform: TransformUse | None
    filters: frozenset[int]
    fields: frozenset[FieldPath] | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Which permission did what to a column: `shows`, `transforms`, `hides`; or a law's word."""

    effect: str
    permission_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ColumnDecision:
    """The verdict for one column. Options are in order of protectiveness, least first.

    What safeguards leave of it: a cell that an option shows goes through `safeguards` in turn, and
    is NULL in rows for which one of `cell_filters` is not true. Where all that anybody shows are
    fields of it, `column` has no others.
    """

    column: Column
    verdict: Verdict
    options: tuple[CellOption, ...] = ()
    reasons: tuple[Reason, ...] = ()
    safeguards: tuple[TransformUse, ...] = ()
    cell_filters: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """For one principal and one dataset.

    A row is visible iff one of `filters` holds for it (None holds for every row), and each of
    `restrictions`. `columns` has
    every column of the dataset, hidden ones included, in order. `digest` identifies the outcome
    (principal-keyed parts included) for caches.
    """

    principal: Principal
    name: DatasetName
    version: int
    dataset: Dataset | None
    bypass: bool = False
    filters: tuple[Expr | None, ...] = ()
    columns: tuple[ColumnDecision, ...] = ()
    permissions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    digest: str = ""
    roles: frozenset[str] = frozenset()
    restrictions: tuple[Expr, ...] = ()
    ignored: Mapping[str, str] = field(default_factory=dict[str, str])
    """Permissions that cover the dataset and grant nothing on it, with the reason, by id."""
    considered: Mapping[str, Permission] = field(
        default_factory=dict[str, Permission], compare=False, repr=False
    )
    """The permissions that `permissions`, `ignored` and reasons speak of, by id."""

    @property
    def visible(self) -> tuple[ColumnDecision, ...]:
        """The columns that the principal gets, in order."""
        return tuple(c for c in self.columns if c.verdict is not Verdict.HIDDEN)

    @property
    def allowed(self) -> bool:
        """Whether anything is visible."""
        if self.dataset is None:
            return False
        for column in self.columns:  # noqa: SIM110 - lists ask it of every dataset: half the time
            if column.verdict is not Verdict.HIDDEN:
                return True
        return False

    def require(self, audit_id: str = "") -> Self:
        """Return self, or refuse as if the dataset did not exist.

        Raises:
            NotFound: nothing is visible; the text is that of an unknown name.
        """
        if not self.allowed:
            raise NotFound(
                f"dataset `{self.name}` does not exist, or you have no access to it",
                hint="list what you can read with `privet db datasets`, or ask a data steward",
                audit_id=audit_id,
            )
        return self
