"""Parse trees of statements that ask what there is to their values."""

from __future__ import annotations

from collections.abc import Callable

from privet.model.permissions import Scope
from privet.policy.language import shows as s
from privet.policy.language.nodes import (
    at,
    branches,
    dataset_in,
    group,
    name_in,
    required,
    role_in,
    tag_in,
    tokens,
)
from privet.policy.language.scopes import read_scope
from privet.policy.language.syntax import Branch


def _scope(tree: Branch) -> Scope | None:
    found = [b for b in branches(tree) if str(b.data).startswith("scope_")]
    return read_scope(found[0]) if found else None


def _tables(tree: Branch) -> s.ShowTables:
    name = name_in(tree, "database name")
    return s.ShowTables(name, tree.data == "show_views", at(tree, "name"))


def _create(tree: Branch) -> s.ShowCreate:
    view = tokens(tree)[0].type == "VIEW"
    return s.ShowCreate(dataset_in(tree), view, at(tree, "dataset"))


def _describe(tree: Branch) -> s.Describe:
    return s.Describe(dataset_in(tree), tree.data == "describe_formatted", at(tree, "dataset"))


SHOWING: dict[str, Callable[[Branch], s.Show]] = {
    "show_databases": lambda _: s.ShowDatabases(),
    "show_tables": _tables,
    "show_views": _tables,
    "show_roles": lambda _: s.ShowRoles(),
    "show_all_roles": lambda _: s.ShowRoles(s.Which.ALL),
    "show_current_roles": lambda _: s.ShowRoles(s.Which.CURRENT),
    "show_group": lambda t: s.ShowRolesOfGroup(group(required(t, "group"))),
    "show_tags": lambda _: s.ShowTags(),
    "show_crawlers": lambda _: s.ShowCrawlers(),
    "show_connections": lambda _: s.ShowConnections(),
    "show_grant_role": lambda t: s.ShowGrantRole(role_in(t), _scope(t), at(t, "name")),
    "show_grant_tag": lambda t: s.ShowGrantTag(tag_in(t), _scope(t), at(t, "tag")),
    "show_partitions": lambda t: s.ShowPartitions(dataset_in(t), at(t, "dataset")),
    "show_create": _create,
    "describe": _describe,
    "describe_formatted": _describe,
    "describe_database": lambda t: s.DescribeDatabase(name_in(t, "database name"), at(t, "name")),
}
