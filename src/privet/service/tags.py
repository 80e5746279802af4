"""Tags and the rules that propose them."""

from __future__ import annotations

from privet.catalog import Tag
from privet.classifier import BUILTIN_RULES, check_rule
from privet.model.datasets import Rule
from privet.model.errors import Conflict
from privet.model.names import DatasetName, FieldPath, TagName
from privet.service.access import Act, administer, authenticate
from privet.service.platform import Caller, Platform


class Tags:
    """What our words mean. Everybody may list them."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self, caller: Caller) -> tuple[Tag, ...]:
        """All tags, by name."""
        authenticate(self._platform, caller)
        return self._platform.catalog.tags.list()

    def create(self, caller: Caller, tag: TagName, description: str = "") -> Tag:
        """Add a tag."""
        with administer(self._platform, caller, Act("tag.create", str(tag))) as admin:
            return self._platform.catalog.tags.create(tag, by=admin.user, description=description)

    def drop(self, caller: Caller, tag: TagName) -> None:
        """Remove a tag that no permission and no rule uses."""
        with administer(self._platform, caller, Act("tag.delete", str(tag))):
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
        act = Act("tag.assign", str(dataset), detail={"tag": str(tag), "path": list(path)})
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
        """Take a tag off."""
        act = Act("tag.unassign", str(dataset), detail={"tag": str(tag), "path": list(path)})
        with administer(self._platform, caller, act):
            self._platform.catalog.datasets.unassign_tag(
                dataset, path, tag, expected_revision=revision
            )

    def list_rules(self, caller: Caller) -> tuple[Rule, ...]:
        """Built-in rules and those of stewards."""
        authenticate(self._platform, caller)
        return (*self._platform.catalog.rules.list(), *BUILTIN_RULES)

    def create_rule(self, caller: Caller, rule: Rule) -> Rule:
        """Add a rule; it counts from the next crawl on."""
        with administer(
            self._platform, caller, Act("rule.create", rule.name, detail={"tag": str(rule.tag)})
        ) as admin:
            check_rule(rule)
            if any(rule.name == b.name for b in BUILTIN_RULES):
                raise Conflict(f"rule `{rule.name}` is built in", hint="choose another name")
            return self._platform.catalog.rules.create(rule, by=admin.user)

    def drop_rule(self, caller: Caller, name: str) -> None:
        """Remove a rule; tags it gave stay."""
        with administer(self._platform, caller, Act("rule.delete", name)):
            self._platform.catalog.rules.drop(name)
