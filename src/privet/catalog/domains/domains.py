"""Token domains as objects: declared, rotated, retired; datasets admitted and expelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from privet.catalog.tags import require_tags
from privet.catalog.versions import Clock, changing
from privet.model.datasets import CanonicalType, Dataset
from privet.model.errors import Conflict, NotFound, TypeMismatch
from privet.model.names import DatasetName, TagName
from privet.model.tokens import Profile
from privet.model.transforms import check_fit, get_spec
from privet.store import reading
from privet.store.tables import (
    column_profiles,
    datasets,
    domain_datasets,
    domain_expulsions,
    token_domains,
)


@dataclass(frozen=True, slots=True)
class Domain:
    """A set of columns in which equal values have equal tokens.

    `tags` are those that it serves; of a default domain the one of its name. `datasets` are those
    in it, by name. A rotation counts `version` up; a retired domain takes nobody in any more.
    """

    name: str
    canonical: CanonicalType
    tags: frozenset[str]
    version: int = 1
    purpose: str = ""
    rotated_at: datetime | None = None
    retired_at: datetime | None = None
    datasets: tuple[DatasetName, ...] = ()


class Domains:
    """The token domains of a catalog. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def create(
        self, name: str, canonical: CanonicalType, tags: Iterable[TagName], *, purpose: str = ""
    ) -> Domain:
        """Declare a domain that several tags share, or that one tag has instead of its own.

        Nothing changes for datasets that are registered: their stewards admit them to it.

        Raises:
            Conflict: the name is taken, or another declared domain serves one of the tags.
            UnknownName: there is no such tag.
        """
        served = frozenset(tags)
        domain = Domain(name, canonical, frozenset(map(str, served)), purpose=purpose)
        with changing(self._engine) as connection:
            require_tags(connection, served)
            for other in _read(connection):
                if other.name == name:
                    raise Conflict(f"token domain `{name}` already exists")
                taken = sorted(other.tags & domain.tags)
                if taken and other.name not in other.tags and other.retired_at is None:
                    raise Conflict(
                        f"tag `{taken[0]}` is served by token domain `{other.name}`",
                        hint="a tag has one declared domain; retire that one first",
                    )
            values = {"canonical": canonical.value, "version": 1, "purpose": purpose}
            kept = insert(token_domains).values(name=name, tags=sorted(domain.tags), **values)
            connection.execute(kept)
        return domain

    def list(self) -> tuple[Domain, ...]:
        """All domains by name, with the datasets in them."""
        with reading(self._engine) as connection:
            return tuple(_read(connection))

    def get(self, name: str) -> Domain:
        """The domain of that name.

        Raises:
            NotFound: there is none.
        """
        with reading(self._engine) as connection:
            return _get(connection, name)

    def rotate(self, name: str) -> Domain:
        """Let new tokens be made under the next key version.

        Raises:
            NotFound: there is no such domain.
            Conflict: it is retired.
        """
        with changing(self._engine) as connection:
            domain = _open(connection, name)
            version, now = domain.version + 1, self._clock()
            changed = update(token_domains).filter_by(name=name)
            connection.execute(changed.values(version=version, rotated_at=now))
            return replace(domain, version=version, rotated_at=now)

    def retire(self, name: str) -> Domain:
        """Take nobody in any more.

        Raises:
            NotFound: there is no such domain.
            Conflict: it is retired, or datasets are in it.
        """
        with changing(self._engine) as connection:
            domain = _open(connection, name)
            if domain.datasets:
                raise Conflict(
                    f"datasets are in token domain `{name}`, and a retired domain has none",
                    hint="expel them first: from then on they have tokens of their own",
                )
            now = self._clock()
            connection.execute(update(token_domains).filter_by(name=name).values(retired_at=now))
            return replace(domain, retired_at=now)

    def admit(self, name: str, dataset: Dataset) -> Domain:
        """Let a dataset have the tokens of a domain; again is as once.

        Raises:
            NotFound: there is no such domain, or the dataset went away.
            Conflict: it is retired.
            TypeMismatch: no column has a tag of it, or none is of a type that fits.
        """
        with changing(self._engine) as connection:
            domain = _open(connection, name)
            _check_columns(domain, dataset)
            uri = _uri_of(connection, dataset)
            if dataset.name not in domain.datasets:
                row = insert(domain_datasets).values(dataset=dataset.id, domain=name)
                connection.execute(row)
            connection.execute(delete(domain_expulsions).filter_by(domain=name, uri=uri))
            return _get(connection, name)

    def expel(self, name: str, dataset: Dataset) -> Domain:
        """Let a dataset have tokens of its own, also if its files are registered again.

        Raises:
            NotFound: there is no such domain, or the dataset is not in it.
        """
        with changing(self._engine) as connection:
            domain = _get(connection, name)
            if dataset.name not in domain.datasets:
                raise NotFound(f"`{dataset.name}` is not in token domain `{name}`")
            uri = _uri_of(connection, dataset)
            gone = delete(domain_datasets).filter_by(dataset=dataset.id, domain=name)
            connection.execute(gone)
            known = select(domain_expulsions).filter_by(domain=name, uri=uri)
            if connection.execute(known).first() is None:
                connection.execute(insert(domain_expulsions).values(domain=name, uri=uri))
            return _get(connection, name)

    def note_profiles(self, dataset: Dataset, profiles: Mapping[str, Profile]) -> None:
        """Keep what a sample said about a dataset's columns, instead of what was known."""
        with changing(self._engine) as connection:
            if connection.execute(select(datasets.c.id).filter_by(id=dataset.id)).first() is None:
                return
            connection.execute(delete(column_profiles).filter_by(dataset=dataset.id))
            rows = [
                {"dataset": dataset.id, "name": name, "sampled": p.sampled, "small": p.small}
                for name, p in profiles.items()
            ]
            if rows:
                connection.execute(insert(column_profiles), rows)

    def profiles(self) -> dict[tuple[DatasetName, str], Profile]:
        """What samples said about columns, by dataset and column."""
        wanted = select(column_profiles, datasets.c.database, datasets.c.name.label("table"))
        wanted = wanted.join(datasets, datasets.c.id == column_profiles.c.dataset)
        with reading(self._engine) as connection:
            return {
                (DatasetName(row.database, row.table), row.name): Profile(row.sampled, row.small)
                for row in connection.execute(wanted)
            }


def _read(connection: Connection, name: str | None = None) -> list[Domain]:
    members: dict[str, list[DatasetName]] = {}
    joined = select(domain_datasets.c.domain, datasets.c.database, datasets.c.name)
    joined = joined.join(datasets, datasets.c.id == domain_datasets.c.dataset)
    wanted = select(token_domains).order_by(token_domains.c.name)
    if name is not None:
        joined = joined.where(domain_datasets.c.domain == name)
        wanted = wanted.where(token_domains.c.name == name)
    for row in connection.execute(joined):
        members.setdefault(row.domain, []).append(DatasetName(row.database, row.name))
    return [_domain(row, members.get(row.name, [])) for row in connection.execute(wanted)]


def _domain(row: Row[Any], members: Iterable[DatasetName]) -> Domain:
    return Domain(
        row.name,
        CanonicalType(row.canonical),
        frozenset(row.tags or (row.name,)),
        row.version,
        row.purpose,
        row.rotated_at,
        row.retired_at,
        tuple(sorted(members)),
    )


def _get(connection: Connection, name: str) -> Domain:
    for domain in _read(connection, name):
        return domain
    raise NotFound(
        f"token domain `{name}` does not exist",
        hint="that of a tag begins with its first dataset; see `privet tokens domain list`",
    )


def _open(connection: Connection, name: str) -> Domain:
    domain = _get(connection, name)
    if domain.retired_at is not None:
        raise Conflict(f"token domain `{name}` is retired", hint="declare another one for its tags")
    return domain


def _uri_of(connection: Connection, dataset: Dataset) -> str:
    uri = connection.execute(select(datasets.c.uri).filter_by(id=dataset.id)).scalar()
    if uri is None:
        raise NotFound(f"dataset `{dataset.name}` does not exist, or you have no access to it")
    return uri


def _check_columns(domain: Domain, dataset: Dataset) -> None:
    """Whether the dataset has something that the domain is for."""
    bearing = [
        column
        for column in dataset.columns
        if domain.tags & {str(tag) for tag in dataset.outer_tags(column)}
    ]
    if not bearing:
        raise TypeMismatch(
            f"no column of `{dataset.name}` has a tag that token domain `{domain.name}` serves",
            hint=f"it serves {', '.join(sorted(domain.tags))}",
        )
    problem: TypeMismatch | None = None
    for column in bearing:
        try:
            check_fit(get_spec("tokenize"), column.type, domain.canonical)
        except TypeMismatch as error:
            problem = problem or error
        else:
            return
    assert problem is not None
    raise problem
