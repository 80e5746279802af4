"""All that facts about a few datasets and principals are made of, read by one statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    cast,
    or_,
    select,
    tuple_,
    union_all,
)

from privet.catalog.current.changes import MOMENT, Journal
from privet.catalog.current.granted import Granted, moment_of
from privet.catalog.current.stored import DATASET, among, read_behind, to_dataset
from privet.catalog.roles import HeldRoles
from privet.catalog.versions import Version
from privet.model.datasets import Dataset
from privet.model.names import PUBLIC_ROLE, DatasetName
from privet.model.permissions import USER_SLOT, Permission, ScopeKind
from privet.model.principals import Principal
from privet.store import json_rows
from privet.store.tables import catalog_version, datasets, permissions, role_groups, roles


@dataclass(frozen=True, slots=True)
class Asked:
    """What was read, at one version.

    Attributes:
        version: that of all of it.
        stored: the datasets asked for and all that they rest on, without the tags of lineage.
        roles: those of each principal.
        permissions: of any of these roles, that may cover one of the datasets; oldest first.
    """

    version: Version
    stored: Mapping[DatasetName, Dataset | None]
    roles: Mapping[Principal, HeldRoles]
    permissions: tuple[Permission, ...]


def read_asked(
    connection: Connection,
    journal: Journal,
    granted: Granted,
    names: Collection[DatasetName],
    principals: Collection[Principal],
) -> Asked:
    """Read in the connection's transaction: one query, and one for each layer of views behind.

    Raises:
        StoreUnavailable: a permission cannot be read by this version of Privet.
    """
    groups = {(p.issuer, group) for p in principals for group in p.all_groups}
    rows = connection.execute(_statement(names, groups), {"known": journal.known}).all()
    found = [to_dataset(row) for row in rows if row.id is not None]
    mapped = [((issuer, group), role) for issuer, group, role in rows[0].held]
    return Asked(
        version=journal.note(Version(rows[0].version, rows[0].stamp), rows[0].changes),
        stored=dict.fromkeys(names) | read_behind(connection, found),
        roles={
            principal: HeldRoles.given(
                principal,
                (
                    (group, role)
                    for (issuer, group), role in mapped
                    if issuer == principal.issuer and group in principal.all_groups
                ),
            )
            for principal in principals
        },
        permissions=_permissions(rows[0], granted),
    )


def _statement(names: Collection[DatasetName], groups: Collection[tuple[str, str]]) -> Select[Any]:
    held_by = tuple_(role_groups.c.issuer, role_groups.c.group).in_([*groups])
    held = select(json_rows(role_groups.c.issuer, role_groups.c.group, role_groups.c.role))
    named = union_all(
        select(role_groups.c.role).where(held_by),
        select(roles.c.name).where(roles.c.name == PUBLIC_ROLE),
    )
    granted = select(
        json_rows(
            permissions.c.id,
            cast(permissions.c.document, Text),
            permissions.c.created_by,
            permissions.c.created_at,
        )
    ).where(permissions.c.role.in_(named), _may_cover(names))
    # A row without a dataset says all the rest.
    return select(
        *MOMENT,
        held.where(held_by).scalar_subquery().label("held"),
        granted.scalar_subquery().label("granted"),
        *DATASET,
    ).select_from(catalog_version.outerjoin(datasets, among(names)))


def _may_cover(names: Collection[DatasetName]) -> ColumnElement[bool]:
    kind, database, dataset = (permissions.c[c] for c in ("kind", "database", "dataset"))
    return or_(
        kind == ScopeKind.CATALOG.value,
        and_(
            kind == ScopeKind.DATABASE.value,
            database.in_(sorted({name.database for name in names})),
        ),
        and_(kind == ScopeKind.TABLE.value, tuple_(database, dataset).in_([*names])),
        # Which object such a name means depends on the reader; the policy tells.
        database.contains(USER_SLOT),
        dataset.contains(USER_SLOT),
    )


def _permissions(row: Row[Any], granted: Granted) -> tuple[Permission, ...]:
    found = [(moment_of(at), i, document, by) for i, document, by, at in row.granted]
    return tuple(
        granted.value(i, document, by, at)
        for at, i, document, by in sorted(found, key=lambda each: each[:2])
    )
