"""Crawlers, and the databases in which the original shows what they found."""

from __future__ import annotations

import re
from collections.abc import Callable

from privet.model.errors import InvalidRequest, NotFound, PrivetError
from privet.okera.calls import Call
from privet.okera.errors import Unsupported
from privet.okera.rpc.crawling import STATUS, crawl_behind, offered, status_of
from privet.okera.rpc.ddl.answers import Answer
from privet.okera.rpc.ddl.describing import describe_database, show_tables

_SCHEMES = frozenset({"s3", "s3a", "s3n", "adl", "abfs", "abfss", "gs", "file"})


def _create(call: Call, found: re.Match[str], text: str) -> Answer:
    try:
        return _executed(call, text)
    except PrivetError as error:
        if call.compatibility and isinstance(error, InvalidRequest | NotFound):
            error.message = f"{_wrong_with(found['source'])} ({error.message})"
        raise


def _wrong_with(source: str) -> str:
    """What the original says of an address that it cannot crawl."""
    scheme, colon, _ = source.partition("://")
    if not colon:
        if "/" not in source:
            return "Source path not valid."
        return f"Please verify the URL is correct: {source}"
    if scheme.lower() not in _SCHEMES:
        return f"Crawlers are not supported for this storage system: {scheme}"
    return f"The path {source} is not accessible or does not exist."


def _drop(call: Call, found: re.Match[str], text: str) -> Answer:
    crawl = crawl_behind(call, found["name"])
    if crawl is None:
        return _executed(call, text)
    call.services.crawls.drop(call.caller, crawl.name)
    return Answer()


def _describe(call: Call, found: re.Match[str], text: str) -> Answer:
    crawl = crawl_behind(call, found["name"])
    if crawl is None:
        return describe_database(call, found, text)
    rows = ("name", found["name"].lower()), ("description", ""), (STATUS, status_of(call, crawl))
    return Answer(("name", "value"), rows)


def _set(call: Call, found: re.Match[str], text: str) -> Answer:
    """Do the crawl again, which the original does when its status is emptied."""
    crawl = crawl_behind(call, found["name"])
    if crawl is None:
        return _executed(call, text)
    if said := _SINGLE_FILES.fullmatch(found["properties"]):
        value = said["value"].lower() == "true"
        call.services.crawls.set_single_files(call.caller, crawl.name, value)
        return Answer()
    if not re.fullmatch(rf"\s*'{re.escape(STATUS)}'\s*=\s*''\s*", found["properties"]):
        raise Unsupported(
            "of the database of a crawler only its status and what is a dataset are changed",
            hint="a crawl finds what it finds; say the rest when a dataset is registered",
        )
    call.services.crawls.start(call.caller, crawl.name, crawl.uri)
    return Answer()


def _forget(call: Call, found: re.Match[str], text: str) -> Answer:
    """DROP TABLE of what a crawl found: it is shown again when it is found again."""
    crawl = crawl_behind(call, found["name"])
    if crawl is None:
        return _executed(call, text)
    try:
        call.services.crawls.forget(call.caller, crawl.name, found["table"])
    except NotFound:
        if not found["lenient"]:
            raise
    return Answer()


def _tables(call: Call, found: re.Match[str], text: str) -> Answer:
    crawl = crawl_behind(call, found["name"])
    if crawl is None:
        return show_tables(call, found, text)
    return Answer(("name",), tuple((each.name,) for each in offered(call, crawl)))


def _executed(call: Call, text: str) -> Answer:
    result = call.services.statements.execute(call.caller, text)
    return Answer(result.columns, result.rows, warnings=result.warnings)


_SINGLE_FILES = re.compile(
    r"(?i)\s*'okera\.crawler\.single_file_datasets'\s*=\s*'(?P<value>true|false)'\s*"
)
_NAME = r"`?(?P<name>_okera_crawler_\w+)`?"
SPECIAL: tuple[tuple[str, Callable[[Call, re.Match[str], str], Answer]], ...] = (
    (r"\s*create\s+crawler\s+`?\w+`?\s+source\s+'(?P<source>[^']*)'\s*", _create),
    (r"\s*drop\s+database\s+(?:if\s+exists\s+)?" + _NAME + r"(?:\s+cascade)?", _drop),
    (r"\s*desc(?:ribe)?\s+database\s+" + _NAME, _describe),
    (
        r"\s*alter\s+database\s+" + _NAME + r"\s+set\s+dbproperties\s*\((?P<properties>.*)\)\s*",
        _set,
    ),
    (r"\s*show\s+tables\s+in\s+" + _NAME, _tables),
    (
        r"\s*drop\s+table\s+(?P<lenient>if\s+exists\s+)?" + _NAME + r"\.`?(?P<table>\w+)`?",
        _forget,
    ),
)
