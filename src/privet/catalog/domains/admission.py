"""Which datasets are in which token domains, within a transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.types as pat
from sqlalchemy import Connection, insert, select

from privet.catalog.documents import load_text
from privet.model.datasets import (
    CanonicalType,
    Column,
    FieldTag,
    TagOrigin,
    TokenDomain,
    plain_type,
)
from privet.model.transforms import is_text
from privet.store.tables import datasets, domain_datasets, domain_expulsions, token_domains


def serving(rows: Iterable[Sequence[Any]]) -> dict[str, TokenDomain]:
    """The domains that a dataset is in, by the tags that they serve, as texts.

    Where it is in two for one tag, the declared one counts, not the tag's default.

    Args:
        rows: name, canonical type, version, purpose and the text of the tags of each domain.
    """
    default, declared = dict[str, TokenDomain](), dict[str, TokenDomain]()
    for name, canonical, version, purpose, tags in rows:
        domain = TokenDomain(name, CanonicalType(canonical), version, purpose)
        if served := load_text(tags):
            declared |= dict.fromkeys(served, domain)
        else:
            default[name] = domain
    return default | declared


def admit(connection: Connection, dataset_id: str, columns: Sequence[Column]) -> None:
    """Admit a dataset to the token domains of its columns' tags; makes those that do not exist.

    A domain is named like its tag, unless one was declared for the tag, and its canonical type
    comes from the first column of text or integers that bears it. Tags of columns that nobody has
    reviewed admit to nothing: whoever writes files chooses their names. Nor does anything admit to
    a domain that is retired, or that what lies at this path was expelled from.
    """
    rows = connection.execute(select(token_domains)).all()
    known = {row.name for row in rows}
    declared = {tag: row.name for row in rows if row.retired_at is None for tag in row.tags}
    closed = {row.name for row in rows if row.retired_at is not None}
    closed |= _expelled(connection, dataset_id)
    member = select(domain_datasets.c.domain).filter_by(dataset=dataset_id)
    admitted = {*connection.execute(member).scalars()}
    # Whoever writes a view would have values of their own made into the tokens of a table.
    bearing = {
        c.name: {declared.get(str(t.tag), str(t.tag)) for t in c.field_tags if _admits(t)}
        for c in columns
        if c.reviewed
    }
    for column in (c for c in columns if c.reviewed):
        for domain in sorted(bearing[column.name] - admitted - closed):
            if domain not in known:
                among = (c.type for c in columns if domain in bearing.get(c.name, ()))
                kind = next(filter(_decides, among), column.type)
                connection.execute(insert(token_domains).values(_new(domain, kind)))
                known.add(domain)
            connection.execute(insert(domain_datasets).values(dataset=dataset_id, domain=domain))
            admitted.add(domain)


def canonical_of(kind: pa.DataType) -> CanonicalType:
    """The canonical type of a domain that begins with a column of that type."""
    return CanonicalType.INT64 if pat.is_integer(kind) else CanonicalType.TEXT


def _decides(kind: pa.DataType) -> bool:
    """Whether a type is that of one kind of domain; others have tokens of their own in either."""
    return pat.is_integer(kind) or is_text(plain_type(kind))


def _new(domain: str, kind: pa.DataType) -> dict[str, Any]:
    return {
        "name": domain, "canonical": canonical_of(kind).value, "version": 1, "purpose": "",
        "tags": [],
    }  # fmt: skip


def _expelled(connection: Connection, dataset_id: str) -> set[str]:
    out = (
        select(domain_expulsions.c.domain)
        .join(datasets, datasets.c.uri == domain_expulsions.c.uri)
        .where(datasets.c.id == dataset_id)
    )
    return {*connection.execute(out).scalars()}


def _admits(tag: FieldTag) -> bool:
    return len(tag.path) == 1 and tag.origin is not TagOrigin.LINEAGE
