"""The queue of proposed tags, and what stewards say to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from privet.classifier import ColumnSample, classify
from privet.crawler import digest_of
from privet.model.datasets import (
    Column,
    Dataset,
    FieldTag,
    Rule,
    RuleTarget,
    TagOrigin,
    parse_type,
)
from privet.model.errors import InvalidRequest, NotFound
from privet.model.names import DatasetName, FieldPath, TagName
from privet.model.permissions import CATALOG, AccessLevel, on_dataset
from privet.model.tagging.proposals import Proposal, RejectedColumn, Rejection
from privet.policy import Need
from privet.service.access import Act, administer, authenticate
from privet.service.platform import Caller, Platform
from privet.service.proposals.evaluating import proposed_now, rules_of, unanswered
from privet.service.rights import Administrator, tag_needs


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What rules say of a dataset now.

    Attributes:
        waiting: proposals for tags that are not on their fields.
        unsupported: tags that rules once proposed, that are on their fields, and that no rule
            proposes now. They stay: taking one off is for people.
    """

    waiting: tuple[Proposal, ...]
    unsupported: tuple[FieldTag, ...]


class Proposals:
    """Proposals count for nobody until somebody accepts them."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self, caller: Caller) -> tuple[tuple[Proposal, bool], ...]:
        """Those that wait for an answer, of datasets that the caller may alter.

        Each with whether rules changed since: it may no longer be proposed, or others may be.
        """
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        now = digest_of(rules_of(self._platform))
        return tuple(
            (proposal, proposal.rules != now)
            for proposal in self._platform.catalog.proposals.list()
            if administrator.may(AccessLevel.ALTER, on_dataset(proposal.dataset))
        )

    def evaluate(self, caller: Caller, name: DatasetName) -> Evaluated:
        """Try the rules on a dataset as it is now; no tag is put on or taken off.

        Raises:
            InvalidRequest: it is a view, whose tags come from what it is made of.
            SourceInvalid: no cells could be looked at; the proposals stay as they were.
        """
        needs = (Need(AccessLevel.ALTER, on_dataset(name)),)
        with administer(self._platform, caller, Act("proposal.evaluate", str(name), needs=needs)):
            dataset = self._platform.catalog.datasets.get(name)
            if dataset.view is not None:
                raise InvalidRequest(f"`{name}` is a view", hint="evaluate what it is made of")
            proposed = proposed_now(self._platform, dataset)
            digest = digest_of(rules_of(self._platform))
            catalog = self._platform.catalog.proposals
            catalog.note(dataset.id, unanswered(dataset, proposed), digest)
            supported = {(t.path, t.tag) for t in proposed}
            unsupported = tuple(
                tag
                for column in dataset.columns
                for tag in column.field_tags
                if tag.origin is TagOrigin.RULE and (tag.path, tag.tag) not in supported
            )
            return Evaluated(catalog.list(name), unsupported)

    def accept(self, caller: Caller, name: DatasetName, path: FieldPath, tag: TagName) -> None:
        """Put a proposed tag on its field, with its evidence.

        Raises:
            NotFound: it is not proposed.
        """
        needs = tag_needs(AccessLevel.ADD_ATTRIBUTE, tag, on_dataset(name))
        detail = {"tag": str(tag), "path": list(path)}
        act = Act("proposal.accept", str(name), detail=detail, needs=needs)
        with administer(self._platform, caller, act) as steward:
            catalog = self._platform.catalog
            dataset = catalog.datasets.get(name)
            proposal = self._waiting(name, path, tag)
            columns = tuple(_with(c, proposal.tag) for c in dataset.columns)
            catalog.datasets.update_columns(
                name, columns, by=steward.user, expected_revision=dataset.revision
            )
            catalog.proposals.forget(dataset.id, path, tag)

    def reject(self, caller: Caller, name: DatasetName, path: FieldPath, tag: TagName) -> None:
        """Remember that a proposed tag is wrong: rules do not propose it there again.

        A tag that is on the field because a rule proposed it is taken off.

        Raises:
            NotFound: it is neither proposed nor there by a rule.
        """
        on = _by_rule(self._platform.catalog.datasets.find(name), path, tag)
        # First what is needed in any case: whether the tag is there is not for all to know.
        needs = tag_needs(AccessLevel.ADD_ATTRIBUTE, tag, on_dataset(name))
        if on is not None:
            needs += tag_needs(AccessLevel.REMOVE_ATTRIBUTE, tag, on_dataset(name))
        detail = {"tag": str(tag), "path": list(path)}
        act = Act("proposal.reject", str(name), detail=detail, needs=needs)
        with administer(self._platform, caller, act) as steward:
            catalog = self._platform.catalog
            dataset = catalog.datasets.get(name)
            if on is None:
                evidence = self._waiting(name, path, tag).tag.evidence
            else:
                evidence = on.evidence
                catalog.datasets.unassign_tag(name, path, tag, expected_revision=dataset.revision)
            column = next(c for c in dataset.columns if c.name == path[0])
            seen = RejectedColumn(column.source_name, column.comment, str(column.type))
            at = self._platform.clock()
            rejection = Rejection(dataset.source.uri, path, tag, seen, evidence, steward.user, at)
            catalog.proposals.reject(dataset.id, rejection)

    def reconsider(self, caller: Caller, name: DatasetName, path: FieldPath, tag: TagName) -> None:
        """Forget a rejection: the next evaluation may propose the tag again.

        Raises:
            NotFound: there is none.
        """
        needs = tag_needs(AccessLevel.ADD_ATTRIBUTE, tag, on_dataset(name))
        detail = {"tag": str(tag), "path": list(path)}
        act = Act("proposal.reconsider", str(name), detail=detail, needs=needs)
        with administer(self._platform, caller, act):
            dataset = self._platform.catalog.datasets.get(name)
            self._platform.catalog.proposals.reconsider(dataset.source.uri, path, tag)

    def rejections(self, caller: Caller) -> tuple[Rejection, ...]:
        """What was rejected, of datasets that the caller may alter; administrators see all."""
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        return tuple(
            rejection
            for rejection in self._platform.catalog.proposals.rejections()
            if administrator.may(
                AccessLevel.ALTER,
                CATALOG if rejection.dataset is None else on_dataset(rejection.dataset),
            )
        )

    def contradicted(self, caller: Caller, rule: Rule) -> tuple[Rejection, ...]:
        """The rejections that a rule would have proposed by a column's name or comment."""
        by_cells = rule.targets == frozenset({RuleTarget.CELL_CONTENT})
        cases = () if by_cells else self.rejections(caller)
        return tuple(case for case in cases if case.tag == rule.tag and _proposes(rule, case))

    def _waiting(self, name: DatasetName, path: FieldPath, tag: TagName) -> Proposal:
        for proposal in self._platform.catalog.proposals.list(name):
            if (proposal.tag.path, proposal.tag.tag) == (path, tag):
                return proposal
        where = ".".join(path)
        raise NotFound(
            f"tag `{tag}` is not proposed for `{where}` of `{name}`",
            hint="list what is with `privet proposal list`",
        )


def _with(column: Column, tag: FieldTag) -> Column:
    if column.name != tag.path[0]:
        return column
    return replace(column, field_tags=(*column.field_tags, tag))


def _by_rule(dataset: Dataset | None, path: FieldPath, tag: TagName) -> FieldTag | None:
    for column in dataset.columns if dataset else ():
        for there in column.field_tags:
            if (there.path, there.tag, there.origin) == (path, tag, TagOrigin.RULE):
                return there
    return None


def _proposes(rule: Rule, case: Rejection) -> bool:
    column = case.column
    try:
        kind = parse_type(column.type)
    except InvalidRequest:
        # A nested one: by its name it is known as a field inside.
        kind = parse_type("string")
    sample = ColumnSample(".".join(case.path), column.comment, kind, None, column.source_name)
    return bool(classify([sample], [rule]))
