"""Tags and the rules that propose them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from privet.catalog import Tag
from privet.classifier import BUILTIN_RULES, check_rule
from privet.model.datasets import Dataset, Rule, TagOrigin
from privet.model.errors import Conflict, UnknownName
from privet.model.names import DatasetName, FieldPath, TagName
from privet.model.permissions import AccessLevel, on_dataset, on_namespace
from privet.policy import Need
from privet.policy import definitions as d
from privet.service.access import Act, administer, authenticate
from privet.service.platform import Caller, Platform
from privet.service.proposals import rules_of
from privet.service.rights import Administrator, tag_needs


class Tags:
    """What our words mean. Everybody may list them."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self, caller: Caller) -> tuple[Tag, ...]:
        """All tags, by name."""
        authenticate(self._platform, caller)
        return self._platform.catalog.tags.list()

    def editable(self, caller: Caller) -> frozenset[str]:
        """The namespaces of tags that the caller may change."""
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        namespaces = {tag.name.namespace for tag in self._platform.catalog.tags.list()}
        return frozenset(
            n for n in namespaces if administrator.may(AccessLevel.ALTER, on_namespace(n))
        )

    def create(self, caller: Caller, tag: TagName, description: str = "") -> Tag:
        """Add a tag."""
        needs = (Need(AccessLevel.CREATE, on_namespace(tag.namespace)),)
        with administer(self._platform, caller, Act("tag.create", str(tag), needs=needs)) as admin:
            return self._platform.catalog.tags.create(tag, by=admin.user, description=description)

    def drop(self, caller: Caller, tag: TagName) -> None:
        """Remove a tag that no permission and no rule uses."""
        needs = (Need(AccessLevel.DROP, on_namespace(tag.namespace)),)
        with administer(self._platform, caller, Act("tag.delete", str(tag), needs=needs)):
            self._platform.catalog.tags.drop(tag)

    def assign(
        self,
        caller: Caller,
        dataset: DatasetName,
        path: FieldPath,
        tag: TagName,
        revision: int | None = None,
    ) -> None:
        """Put a tag on a dataset (empty path) or on one of its fields."""
        needs = tag_needs(AccessLevel.ADD_ATTRIBUTE, tag, on_dataset(dataset))
        detail = {"tag": str(tag), "path": list(path)}
        act = Act("tag.assign", str(dataset), detail=detail, needs=needs)
        with administer(self._platform, caller, act) as admin:
            self._platform.catalog.datasets.assign_tag(
                dataset, path, tag, by=admin.user, expected_revision=revision
            )

    def unassign(
        self,
        caller: Caller,
        dataset: DatasetName,
        path: FieldPath,
        tag: TagName,
        revision: int | None = None,
    ) -> None:
        """Take a tag off.

        Off a view's column also one that it has from what it is made of: to say that it no longer
        tells what the tag means. That is on record as a release.
        """
        catalog = self._platform.catalog.datasets
        needs = tag_needs(AccessLevel.REMOVE_ATTRIBUTE, tag, on_dataset(dataset))
        detail = {"tag": str(tag), "path": list(path)}
        released = _inherits(catalog.find(dataset), path, tag)
        action = "tag.release" if released else "tag.unassign"
        with administer(
            self._platform, caller, Act(action, str(dataset), detail=detail, needs=needs)
        ):
            if released:
                catalog.release_tag(dataset, path[0], tag, expected_revision=revision)
            else:
                catalog.unassign_tag(dataset, path, tag, expected_revision=revision)

    def list_rules(self, caller: Caller) -> tuple[Rule, ...]:
        """Built-in rules and those of stewards."""
        authenticate(self._platform, caller)
        return rules_of(self._platform)

    def create_rule(self, caller: Caller, rule: Rule) -> Rule:
        """Add a rule; it counts from the next crawl on."""
        needs = (Need(AccessLevel.ALTER, on_namespace(rule.tag.namespace)),)
        act = Act("rule.create", rule.name, detail={"tag": str(rule.tag)}, needs=needs)
        with administer(self._platform, caller, act) as admin:
            check_rule(rule)
            if any(rule.name == b.name for b in BUILTIN_RULES):
                raise Conflict(f"rule `{rule.name}` is built in", hint="choose another name")
            return self._platform.catalog.rules.create(rule, by=admin.user)

    def drop_rule(self, caller: Caller, name: str) -> None:
        """Remove a rule; tags it gave stay."""
        rules = self._platform.catalog.rules.list()
        needs = (
            Need(AccessLevel.ALTER, on_namespace(r.tag.namespace)) for r in rules if r.name == name
        )
        with administer(self._platform, caller, Act("rule.delete", name, needs=tuple(needs))):
            self._platform.catalog.rules.drop(name)


def check_known(written: Iterable[d.TagAt], known: Collection[TagName]) -> None:
    """Refuse tags that do not exist, where a statement has them.

    Raises:
        UnknownName: one does not.
    """
    for each in written:
        if each.tag not in known:
            raise UnknownName(
                f"tag `{each.tag}` does not exist",
                hint=f"create it with CREATE ATTRIBUTE {each.tag}",
                position=each.at,
            )


def _inherits(dataset: Dataset | None, path: FieldPath, tag: TagName) -> bool:
    """Whether a column has a tag from what it is made of, and from nowhere else."""
    columns = dataset.columns if dataset else ()
    return any(
        (t.path[:1], t.tag, t.origin) == (path, tag, TagOrigin.LINEAGE)
        for c in columns
        for t in c.field_tags
    )
