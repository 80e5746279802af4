"""`privet crawl`, `crawler` and `register`: from files to datasets."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from privet.cli.datasets import print_columns, print_drift
from privet.cli.output import Json, cell, print_items, print_json, print_table, print_warnings
from privet.cli.session import session
from privet.model.errors import PrivetError
from privet.model.names import fold

if TYPE_CHECKING:
    from privet.client.rest import Rest

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0
Crawler = Annotated[str, typer.Argument(metavar="CRAWLER", help="The crawl's name.")]
group = typer.Typer(help="Crawls that were made, and what they found.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(crawl)
    app.command()(register)
    app.add_typer(group, name="crawler")


def source_of(text: str) -> str:
    """A source as the server understands it: a URI as it is, a path made absolute."""
    return text if "://" in text else str(Path(text).absolute())


def crawl(
    context: typer.Context,
    uri: Annotated[str, typer.Argument(help="Such as s3://bucket/folder, or a path.")],
    name: Annotated[str, typer.Option(help="What to call this crawl.")],
    wait: Annotated[bool, typer.Option("--wait", help="Wait and show what was found.")] = False,
    single_files: Annotated[
        bool | None,
        typer.Option(
            "--single-files/--folders",
            help="What makes a dataset; as at the run before.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Look for datasets below a URI and propose tags for their columns."""
    with session(context).rest() as rest:
        body: dict[str, Any] = {"name": name, "source": source_of(uri)}
        if single_files is not None:
            body["single_files"] = single_files
        found = rest.post("/v1/crawls", body)
        if wait:
            found = _wait_for(rest, name)
    _print_crawl(found, as_json=as_json)


def _wait_for(rest: Rest, name: str) -> Mapping[str, Any]:
    pause = _FIRST_PAUSE_SECONDS
    with _status(name) as status:
        while True:
            found = rest.get(_path(name))
            if found["status"] != "running":
                return found
            if status is not None:
                status.update(f"crawling: {found.get('objects_seen', 0):,} files seen")
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


def _status(name: str) -> Any:
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console
    from rich.markup import escape

    return Console(stderr=True).status(f"crawling: {escape(cell(name))}")


def _path(name: str) -> str:
    return f"/v1/crawls/{quote(name, safe='')}"


def _print_crawl(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    elif found["status"] != "failed" or found.get("datasets"):
        _print_found(found)
    if found["status"] == "failed":
        raise PrivetError(f"the crawl failed: {found.get('error') or 'without a reason'}")


def _print_found(found: Mapping[str, Any]) -> None:
    name = cell(found["name"])
    if found["status"] == "running":
        print(f"crawl {name} is running; `privet crawler show {name}` says how far it is")
        return
    if found["status"] == "cancelled":
        print(f"crawl {name} was cancelled; the next one goes on from what it has looked into")
        return
    datasets = found.get("datasets") or []
    print(f"crawl {name} of {cell(found['source'])}: {len(datasets)} found")
    _print_report(found)
    for dataset in datasets:
        print()
        print(_headline(dataset))
        if problem := dataset.get("problem"):
            print(f"  cannot be registered: {cell(problem)}")
        for note in dataset.get("notes") or ():
            print(f"  note: {cell(note)}")
        print_drift(str(dataset.get("registered_as")), dataset.get("drift") or ())
        if not dataset.get("columns"):
            continue
        print_table(("COLUMN", "TYPE", "TAG", "EVIDENCE"), _tagged(dataset.get("columns") or ()))
    _print_next(found["name"], datasets)


def _print_next(crawler: str, datasets: Sequence[Mapping[str, Any]]) -> None:
    """What can be done with what was found."""
    ready = [d["name"] for d in datasets if not d.get("problem") and not d.get("registered_as")]
    if ready:
        which = cell(ready[0]) if len(ready) == 1 else "DATASET"
        print(f"next: `privet register {cell(crawler)} {which} --database DATABASE` takes it in,")
        print("with these tags; --new-database creates the database")


def _print_report(found: Mapping[str, Any]) -> None:
    report = found.get("report") or {}
    counts = ", ".join(
        f"{report.get(what, 0):,} {what}" for what in ("new", "changed", "unchanged")
    )
    gone = f"{report.get('gone', 0):,} gone since the crawl before"
    print(f"{found.get('objects_seen', 0):,} files seen: {counts}; {gone}")
    if hidden := report.get("hidden"):
        print(f"{hidden:,} of them passed over: their names, or a folder's, begin with . or _")
    kept, opened = (f"{report.get(what, 0):,}" for what in ("kept", "opened"))
    print(f"datasets not looked into again, since nothing of them changed: {kept};")
    print(f"for the others, files were opened {opened} times")
    if report.get("resumed"):
        print(f"went on {report['resumed']} times after its server had ended")
    for problem in report.get("problems") or ():
        print(f"  not read: {cell(problem['object'])}: {cell(problem['problem'])}")
    more = report.get("problem_count", 0) - len(report.get("problems") or ())
    if more > 0:
        print(f"  and {more:,} more that were not read")


def _headline(dataset: Mapping[str, Any]) -> str:
    size = f"{dataset.get('files', 0):,} files, {dataset.get('bytes', 0):,} bytes"
    kind = f"{cell(dataset['name'])}: {cell(dataset.get('format'))}, {size}"
    taken = dataset.get("registered_as")
    return f"{kind}; registered as {cell(taken)}" if taken else kind


def _tagged(columns: Any) -> Iterator[tuple[object, ...]]:
    for column in columns:
        tags = column.get("tags") or [{}]
        for index, tag in enumerate(tags):
            first = (column["name"], column.get("type")) if index == 0 else ("", "")
            yield (*first, tag.get("tag"), evidence_text(tag.get("evidence")))


def evidence_text(evidence: Mapping[str, Any] | None) -> str:
    """Why a tag was proposed, in a few words."""
    if not evidence:
        return ""
    where = str(evidence.get("target", "")).replace("_", " ")
    text = f"rule {evidence.get('rule')}: {where}"
    if evidence.get("sampled"):
        text += f", {evidence.get('matched', 0):,} of {evidence['sampled']:,} cells"
    if interval := evidence.get("interval"):
        text += f" ({interval[0]:.0%} to {interval[1]:.0%} of all)"
    if examples := evidence.get("examples"):
        text += f", such as {', '.join(map(str, examples))}"
    return f"{text} ({evidence['detail']})" if evidence.get("detail") else text


@group.command("list")
def list_crawls(context: typer.Context, as_json: Json = False) -> None:
    """List the crawls."""
    with session(context).rest() as rest:
        items = rest.items("/v1/crawls")
    columns = {
        "CRAWLER": "name",
        "SOURCE": "source",
        "STATUS": "status",
        "FILES SEEN": "objects_seen",
        "DUE": "due",
        "ERROR": "error",
    }
    items = [item | {"due": (item.get("schedule") or {}).get("next_at", "")} for item in items]
    print_items(items, columns, as_json=as_json, none="no crawls")


@group.command()
def show(context: typer.Context, crawler: Crawler, as_json: Json = False) -> None:
    """Show what a crawl found."""
    with session(context).rest() as rest:
        found = rest.get(_path(crawler))
    _print_crawl(found, as_json=as_json)


@group.command()
def cancel(context: typer.Context, crawler: Crawler, as_json: Json = False) -> None:
    """End a crawl that runs; the next one goes on from what it has looked into."""
    with session(context).rest() as rest:
        ended = rest.post(f"{_path(crawler)}/cancel", {})
    if as_json:
        print_json(ended)
    else:
        print(f"cancelled {cell(ended['name'])}")


@group.command()
def drop(context: typer.Context, crawler: Crawler) -> None:
    """Forget a crawl, its schedule and what it remembers; registered datasets stay."""
    with session(context).rest() as rest:
        rest.delete(_path(crawler))
    print(f"dropped {cell(crawler)}")


@group.command()
def schedule(
    context: typer.Context,
    crawler: Crawler,
    expression: Annotated[str, typer.Argument(help="Such as '0 3 * * *': every day at three.")],
    timezone: Annotated[str, typer.Option(help="Such as Europe/Berlin.")] = "UTC",
    as_json: Json = False,
) -> None:
    """Crawl again whenever EXPRESSION says, by the rights that you have by then."""
    body = {"expression": expression, "timezone": timezone}
    with session(context).rest() as rest:
        crawl = rest.post(f"{_path(crawler)}/schedule", body)
    if as_json:
        print_json(crawl)
    else:
        print(f"{cell(crawl['name'])} is due at {cell(crawl['schedule']['next_at'])}")


@group.command()
def unschedule(context: typer.Context, crawler: Crawler) -> None:
    """Crawl again only when somebody says so."""
    with session(context).rest() as rest:
        rest.delete(f"{_path(crawler)}/schedule")
    print(f"{cell(crawler)} has no schedule any more")


def register(
    context: typer.Context,
    crawler: Crawler,
    dataset: Annotated[str, typer.Argument(help="The dataset, as the crawl named it.")],
    *,
    database: Annotated[str, typer.Option(help="The database to put it in.")],
    name: Annotated[str, typer.Option(help="Another name for it there.")] = "",
    new_database: Annotated[
        bool, typer.Option("--new-database", help="Create the database first.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Register a dataset that a crawl found, with the tags that it proposed."""
    body: dict[str, Any] = {"dataset": dataset, "database": fold(database, "database name")}
    if name:
        body["name"] = fold(name, "dataset name")
    if new_database:
        body["new_database"] = True
    with session(context).rest() as rest:
        answer = rest.post(f"{_path(crawler)}/register", body)
    if as_json:
        print_json(answer)
    else:
        print("registered ", end="")
        print_columns(answer)
        print_warnings(answer.get("warnings") or ())
