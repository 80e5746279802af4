"""Proposed tags that wait for an answer, and those that were rejected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select

from privet.catalog.documents import dump_evidence, dump_path, load_evidence, load_path
from privet.catalog.versions import Clock
from privet.model.datasets import FieldTag, TagOrigin
from privet.model.errors import NotFound
from privet.model.names import DatasetName, FieldPath, TagName
from privet.model.tagging.proposals import Proposal, RejectedColumn, Rejection
from privet.store import reading, upsert, writing
from privet.store.proposal_tables import tag_proposals, tag_rejections
from privet.store.tables import datasets

Answered = tuple[FieldPath, TagName]
_AT_ONCE = 500


class Proposals:
    """The proposals of a catalog. Every method raises StoreUnavailable when the store fails.

    They are no facts: they do not change the catalog's version.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def note(self, dataset_id: str, proposed: Sequence[FieldTag], rules: str) -> None:
        """Keep what rules propose for a dataset now, in place of what they did before.

        What was rejected at its path is left out.
        """
        with writing(self._engine) as connection:
            connection.execute(delete(tag_proposals).filter_by(dataset=dataset_id))
            uri = connection.execute(select(datasets.c.uri).filter_by(id=dataset_id)).scalar()
            if uri is None:
                return
            rejected = _rejected(connection, [uri]).get(uri, frozenset())
            rows = [
                {
                    "dataset": dataset_id, "path": dump_path(tag.path), **tag.tag._asdict(),
                    "evidence": dump_evidence(tag.evidence), "rules": rules, "at": self._clock(),
                }
                for tag in proposed
                if (tag.path, tag.tag) not in rejected
            ]  # fmt: skip
            if rows:
                connection.execute(insert(tag_proposals), rows)

    def list(self, name: DatasetName | None = None) -> tuple[Proposal, ...]:
        """Those that wait, of all datasets or of one, in order of datasets and fields."""
        wanted = select(tag_proposals, datasets.c.database, datasets.c.name).join(
            datasets, datasets.c.id == tag_proposals.c.dataset
        )
        if name is not None:
            wanted = wanted.where(
                datasets.c.database == name.database, datasets.c.name == name.name
            )
        with reading(self._engine) as connection:
            found = [_proposal(row) for row in connection.execute(wanted)]
        return tuple(sorted(found, key=lambda p: (p.dataset, p.tag.path, p.tag.tag)))

    def forget(self, dataset_id: str, path: FieldPath, tag: TagName) -> None:
        """Let one wait no longer: it was answered."""
        with writing(self._engine) as connection:
            gone = {"dataset": dataset_id, "path": dump_path(path), **tag._asdict()}
            connection.execute(delete(tag_proposals).filter_by(**gone))

    def reject(self, dataset_id: str, rejection: Rejection) -> None:
        """Remember that something was rejected, in place of what was said before."""
        tag, seen = rejection.tag._asdict(), rejection.column
        with writing(self._engine) as connection:
            path = dump_path(rejection.path)
            waiting = {"dataset": dataset_id, "path": path, **tag}
            connection.execute(delete(tag_proposals).filter_by(**waiting))
            upsert(
                connection,
                tag_rejections,
                {
                    "uri": rejection.uri,
                    "path": path,
                    **tag,
                    "column": [seen.source_name, seen.comment, seen.type],
                    "evidence": dump_evidence(rejection.evidence),
                    "created_by": rejection.by,
                    "created_at": rejection.at,
                },
            )

    def reconsider(self, uri: str, path: FieldPath, tag: TagName) -> None:
        """Forget a rejection: rules may propose it again.

        Raises:
            NotFound: there is none.
        """
        with writing(self._engine) as connection:
            gone = {"uri": uri, "path": dump_path(path), **tag._asdict()}
            if not connection.execute(delete(tag_rejections).filter_by(**gone)).rowcount:
                raise NotFound(f"tag `{tag}` was not rejected for `{'.'.join(path)}`")

    def rejected(self, uris: Collection[str]) -> Mapping[str, frozenset[Answered]]:
        """Fields and tags that were rejected, by the path that they were rejected at."""
        with reading(self._engine) as connection:
            return _rejected(connection, uris)

    def rejections(self) -> tuple[Rejection, ...]:
        """All that were rejected, with what is registered at their paths now."""
        named = select(tag_rejections, datasets.c.database, datasets.c.name).outerjoin(
            datasets, datasets.c.uri == tag_rejections.c.uri
        )
        with reading(self._engine) as connection:
            found = [_rejection(row) for row in connection.execute(named)]
        return tuple(sorted(found, key=lambda r: (r.uri, r.path, r.tag)))


def _rejected(connection: Connection, uris: Collection[str]) -> dict[str, frozenset[Answered]]:
    found: defaultdict[str, set[Answered]] = defaultdict(set)
    ordered = sorted(uris)
    for start in range(0, len(ordered), _AT_ONCE):
        some = ordered[start : start + _AT_ONCE]
        rows = connection.execute(select(tag_rejections).where(tag_rejections.c.uri.in_(some)))
        for row in rows:
            found[row.uri].add((load_path(row.path), TagName(row.namespace, row.key)))
    return {uri: frozenset(answered) for uri, answered in found.items()}


def _proposal(row: Row[Any]) -> Proposal:
    tag = TagName(row.namespace, row.key)
    evidence = load_evidence(row.evidence)
    return Proposal(
        DatasetName(row.database, row.name),
        FieldTag(load_path(row.path), tag, TagOrigin.RULE, evidence),
        row.rules,
        row.at,
    )


def _rejection(row: Row[Any]) -> Rejection:
    return Rejection(
        row.uri,
        load_path(row.path),
        TagName(row.namespace, row.key),
        RejectedColumn(*row.column),
        load_evidence(row.evidence),
        row.created_by,
        row.created_at,
        None if row.database is None else DatasetName(row.database, row.name),
    )
