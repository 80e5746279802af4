"""Files of names: tags, rules, roles, databases, and the tags of datasets."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from privet.cli.policies import files
from privet.cli.policies.policies import Place, Policies, PolicyFileWrong
from privet.model.errors import InvalidRequest
from privet.model.names import (
    DatasetName,
    TagName,
    check_group_name,
    fold,
    fold_role,
    parse_path,
    path_text,
)

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")
_RULE: dict[str, Any] = {"match_rate": 0.8, "min_rows": 10, "description": ""}
_RULE_KEYS = ("tag", "pattern", "targets", *_RULE)
Table = dict[str, Any]


class _File:
    """One file, to read from with the place of what is wrong."""

    def __init__(self, name: str, text: str, policies: Policies) -> None:
        self.name, self.text, self.policies = name, text, policies
        try:
            self.table: Table = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            said = str(error)
            at = _PLACE.search(said)
            line, column = (int(at[1] or text.count("\n") + 1), int(at[2] or 1)) if at else (1, 1)
            raise Place(name, line, column).wrong(_PLACE.sub("", said)) from error

    def place(self, *words: str) -> Place:
        """Where the last of these words stands, after the others."""
        start, place = 0, Place(self.name, 1)
        for word in words:
            found = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)").search(self.text, start)
            if found:
                line = self.text.count("\n", 0, found.start()) + 1
                column = found.start() - self.text.rfind("\n", 0, found.start())
                start, place = found.end(), Place(self.name, line, column)
        return place

    def named(self, read: Callable[[str], str], *words: str) -> str:
        """A name that is read from the last of these words."""
        try:
            return read(words[-1])
        except InvalidRequest as error:
            raise self.place(*words).wrong(error.message, error.hint) from error

    def once(self, kind: str, name: object, *words: str) -> None:
        """Remember where something is written; it may be written once."""
        place, key = self.place(*words), (kind, name)
        if key in self.policies.places:
            raise place.wrong(f"this is said already at {self.policies.places[key]}")
        self.policies.places[key] = place

    def text_of(self, value: object, *words: str) -> str:
        """A value that has to be a text."""
        if not isinstance(value, str):
            raise self.place(*words).wrong(f"`{words[-1]}` has to be a text")
        return value

    def texts(self, value: object, *words: str) -> list[str]:
        """A value that has to be a list of texts."""
        given = cast("list[object]", value) if isinstance(value, list) else [None]
        if not all(isinstance(v, str) for v in given):
            raise self.place(*words).wrong(f"`{words[-1]}` has to be a list of texts")
        return cast("list[str]", given)

    def inner(self, value: object, *words: str) -> Table:
        """A value that has to be a table."""
        if not isinstance(value, dict):
            raise self.place(*words).wrong(f"`{words[-1]}` has to be a table")
        return cast("Table", value)


def read_toml(name: str, text: str, policies: Policies) -> None:
    """Add what a file says.

    Raises:
        PolicyFileWrong: it is no TOML, or not what such a file can say, or said already.
    """
    file = _File(name, text, policies)
    _READERS.get(name, _read_datasets)(file)


def _read_tags(file: _File) -> None:
    for namespace, keys in file.table.items():
        for key, description in file.inner(keys, namespace).items():
            words = (namespace, key)
            tag = file.named(lambda k, n=namespace: str(TagName.parse(f"{n}.{k}")), *words)
            file.once("tag", tag, *words)
            file.policies.tags[tag] = file.text_of(description, *words)


def _read_databases(file: _File) -> None:
    for word, value in file.table.items():
        name = file.named(fold, word)
        file.once("database", name, word)
        told: Table = cast("Table", value) if isinstance(value, dict) else {"description": value}
        if unknown := sorted(told.keys() - {"description", "tags"}):
            raise file.place(word, unknown[0]).wrong(
                f"a database has no `{unknown[0]}` here", "it has `description` and `tags`"
            )
        file.policies.databases[name] = file.text_of(told.get("description", ""), word)
        if "tags" in told:
            _read_tagged(file, (name, ""), told["tags"], word, "tags")


def _read_roles(file: _File) -> None:
    for word, groups in file.table.items():
        name = file.named(fold_role, word)
        file.once("role", name, word)
        given = file.texts(groups, word)
        named = frozenset(file.named(check_group_name, word, group) for group in given)
        file.policies.roles[name] = named


def _read_rules(file: _File) -> None:
    for word, value in file.table.items():
        name, rule = file.named(fold, word), file.inner(value, word)
        file.once("rule", name, word)
        for key in rule:
            if key not in _RULE_KEYS:
                raise file.place(word, key).wrong(
                    f"a rule has no `{key}`", f"it has {', '.join(_RULE_KEYS)}"
                )
        tag = file.text_of(rule.get("tag"), word, "tag")
        file.policies.rules[name] = _RULE | {
            **rule,
            "name": name,
            "tag": file.named(lambda t: str(TagName.parse(t)), word, tag),
            "pattern": file.text_of(rule.get("pattern"), word, "pattern"),
            "targets": sorted(file.texts(rule.get("targets"), word, "targets")),
        }


def _read_datasets(file: _File) -> None:
    word = file.name.partition("/")[2].removesuffix(".toml")
    database = file.named(fold, word)
    for dataset, value in file.table.items():
        name = str(DatasetName(database, file.named(fold, dataset)))
        file.once("dataset", name, dataset)
        table = file.inner(value, dataset)
        if unknown := sorted(table.keys() - {"tags", "columns"}):
            raise file.place(dataset, unknown[0]).wrong(
                f"a dataset has no `{unknown[0]}` here", "it has `tags` and `columns`"
            )
        _read_tagged(file, (name, ""), table.get("tags", []), dataset, "tags")
        columns = file.inner(table.get("columns", {}), dataset, "columns")
        for column, tags in columns.items():
            path = file.named(_path, dataset, column)
            _read_tagged(file, (name, path), tags, dataset, column)


def _read_tagged(file: _File, target: tuple[str, str], value: object, *words: str) -> None:
    tags: dict[str, str] = {}
    for text in file.texts(value, *words):
        tag = file.named(lambda t: str(TagName.parse(t)), *words, text)
        file.policies.places[("tagged", target, tag)] = file.place(*words, text)
        tags[tag] = text
    file.once("target", target, *words)
    if tags:
        file.policies.tagged[target] = frozenset(tags)


def _path(text: str) -> str:
    return path_text(parse_path(text))


_READERS: Mapping[str, Callable[[_File], None]] = {
    files.TAGS: _read_tags,
    files.DATABASES: _read_databases,
    files.ROLES: _read_roles,
    files.RULES: _read_rules,
}


# ---- writing


def toml_texts(policies: Policies) -> dict[str, str]:
    """The files that say all that has a name, by path; none that would say nothing."""
    texts = {
        files.TAGS: _tables(_by_namespace(policies.tags)),
        files.DATABASES: _databases(policies),
        files.ROLES: _lines({role: sorted(held) for role, held in policies.roles.items()}),
        files.RULES: _tables({n: _told(rule) for n, rule in policies.rules.items()}),
    }
    datasets: dict[str, dict[str, Table]] = {}
    for (dataset, path), tags in sorted(policies.tagged.items()):
        if dataset in policies.databases:
            continue
        name = DatasetName.parse(dataset)
        table = datasets.setdefault(name.database, {}).setdefault(name.name, {})
        table["tags" if not path else f"columns.{_key(path)}"] = sorted(tags)
    for database, tables in datasets.items():
        texts[f"{files.DATASETS}/{database}.toml"] = _tables(tables)
    return {name: text for name, text in texts.items() if text}


def _databases(policies: Policies) -> str:
    """A line for each; a table for those that bear tags."""
    tagged = {name: policies.tagged.get((name, ""), frozenset()) for name in policies.databases}
    tables: dict[str, Table] = {
        name: {"description": policies.databases[name], "tags": sorted(tags)}
        for name, tags in tagged.items()
        if tags
    }
    lines = _lines({n: text for n, text in policies.databases.items() if n not in tables})
    return "\n".join(filter(None, (lines, _tables(tables))))


def _by_namespace(tags: Mapping[str, str]) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for tag, description in sorted(tags.items()):
        namespace, key = TagName.parse(tag)
        tables.setdefault(namespace, {})[key] = description
    return tables


def _told(rule: Mapping[str, Any]) -> Table:
    return {key: rule[key] for key in _RULE_KEYS if _RULE.get(key) != rule[key]}


def _tables(tables: Mapping[str, Table]) -> str:
    return "\n".join(f"[{name}]\n{_lines(tables[name])}" for name in sorted(tables))


def _lines(table: Mapping[str, object]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in sorted(table.items()))


def _key(path: str) -> str:
    return _value(path) if "." in path else path


def _value(value: object) -> str:
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            listed = cast("Iterable[object]", value)
            return f"[{', '.join(map(_value, listed))}]"
        case int() | float():
            return json.dumps(value)
        case _:
            raise PolicyFileWrong(f"a {type(value).__name__} cannot be written to a file")
