"""The policies that a directory of files says, checked against the server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from privet.cli.policies.catalog import check, read_statement, refusal
from privet.cli.policies.files import read_directory
from privet.cli.policies.policies import Policies, PolicyFileWrong
from privet.cli.policies.sql_text import Written, split
from privet.cli.policies.toml_text import read_toml

if TYPE_CHECKING:
    from privet.client.rest import Rest


def read_policies(directory: Path, rest: Rest, there: Policies) -> tuple[Policies, list[str]]:
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
    warnings: list[str] = []
    for each, verdict in check(rest, written, policies):
        statement = read_statement(each, verdict)
        if other := policies.statements.get(statement.key):
            same = statement.content == other.content
            said = "says the same" if same else "contradicts this: they differ in their properties"
            raise each.place.wrong(f"{other.place} {said}")
        policies.statements[statement.key] = statement
        stored = there.statements.get(statement.key)
        if stored and stored.content == statement.content:
            continue
        if verdict["problem"]:
            raise refusal(each, verdict["problem"])
        warnings += [f"{each.place}: {warning}" for warning in verdict["warnings"]]
    return policies, warnings


def _check_names(policies: Policies, there: Policies) -> None:
    """What the files name has to be there, or in the files."""
    tags = {*policies.tags, *there.tags, *there.builtin_tags}
    for target, held in policies.tagged.items():
        if target not in there.targets:
            dataset, path = target
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
