"""The policies that a directory of files says, checked against the server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privet.cli.policies.catalog import check, read_statement, refusal
from privet.cli.policies.files import read_directory
from privet.cli.policies.policies import Policies, PolicyFileWrong
from privet.cli.policies.sql_text import Written, split
from privet.cli.policies.toml_text import read_toml

if TYPE_CHECKING:
    from privet.client.rest import Rest


def read_policies(
    directory: Path, rest: Rest, there: Policies, *, prune: bool
) -> tuple[Policies, list[str]]:
    """What the files say, and warnings about it. All of it could be applied as things are.

    Raises:
        PolicyFileWrong: what the files say cannot be, with the place.
        PrivetError: what the server says.
    """
    policies, written = Policies(), list[Written]()
    for name, text in read_directory(directory).items():
        if name.endswith(".sql"):
            written += split(text, name)
        else:
            read_toml(name, text, policies)
    _check_names(policies, there)
    checked = list(check(rest, written, policies))
    for each, verdict in checked:
        statement = read_statement(each, verdict)
        if other := policies.statements.get(statement.key):
            same = statement.content == other.content
            said = "says the same" if same else "contradicts this: they differ in their properties"
            raise each.place.wrong(f"{other.place} {said}")
        policies.statements[statement.key] = statement
    new = [pair for pair in checked if _is_new(pair, there)]
    if prune and any(verdict["problem"] for _, verdict in new):
        gone = [s.id for key, s in there.statements.items() if key not in policies.statements]
        new = list(check(rest, [each for each, _ in new], policies, gone))
    return policies, [warning for pair in new for warning in _warnings(*pair)]


def _is_new(pair: tuple[Written, Mapping[str, Any]], there: Policies) -> bool:
    statement = read_statement(*pair)
    stored = there.statements.get(statement.key)
    return stored is None or stored.content != statement.content


def _warnings(each: Written, verdict: Mapping[str, Any]) -> list[str]:
    """What the author of a statement should know.

    Raises:
        PolicyFileWrong: it would be refused.
    """
    if verdict["problem"]:
        raise refusal(each, verdict["problem"])
    return [f"{each.place}: {warning}" for warning in verdict["warnings"]]


def _check_names(policies: Policies, there: Policies) -> None:
    """What the files name has to be there, or in the files."""
    tags = {*policies.tags, *there.tags, *there.builtin_tags}
    for target, held in policies.tagged.items():
        dataset, path = target
        if target not in there.targets and dataset not in policies.databases:
            what = f"column `{path}` of dataset `{dataset}`" if path else f"dataset `{dataset}`"
            raise _wrong(policies, ("target", target), f"{what} does not exist")
        for tag in sorted(held - tags):
            raise _wrong(policies, ("tagged", target, tag), f"unknown tag `{tag}`")
    for name, rule in policies.rules.items():
        if rule["tag"] not in tags:
            raise _wrong(policies, ("rule", name), f"unknown tag `{rule['tag']}`")
    for tag in sorted(policies.tags.keys() & there.builtin_tags):
        raise _wrong(policies, ("tag", tag), f"tag `{tag}` is built in")


def _wrong(policies: Policies, key: tuple[object, ...], message: str) -> PolicyFileWrong:
    return policies.places[key].wrong(message, "is it written as in the catalog?")
