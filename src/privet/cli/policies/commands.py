"""`privet policy export`, `diff`, `apply` and `template`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from privet.cli.exits import NO_TERMINAL, UsageMistake
from privet.cli.output import Json, escape, print_json, print_warnings
from privet.cli.policies.catalog import fetch
from privet.cli.policies.files import PERMISSIONS, write_directory
from privet.cli.policies.plan import Plan, Step, plan
from privet.cli.policies.policies import Policies, Statement
from privet.cli.policies.reading import read_policies
from privet.cli.policies.sql_text import sql_text
from privet.cli.policies.templates import NEXT, ROLE, statements, template_files, template_sql
from privet.cli.policies.toml_text import toml_texts
from privet.cli.session import session
from privet.model.errors import PrivetError
from privet.model.names import fold_role

CHANGES = 2
Directory = Annotated[Path, typer.Argument(metavar="DIR", help="The directory with the files.")]
Prune = Annotated[
    bool, typer.Option("--prune", help="Remove what the catalog has and the files have not.")
]
group = typer.Typer(help="Policies as files, to keep in git.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="policy")


@group.command("export")
def export(
    context: typer.Context,
    directory: Directory,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the policies that are there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the tags, rules, roles, databases and permissions of the catalog into files."""
    with session(context).rest() as rest:
        policies = fetch(rest)
    texts = {**toml_texts(policies), **_permission_texts(policies)}
    write_directory(directory, texts, replace=replace)
    if as_json:
        print_json({"files": sorted(texts)})
    else:
        print(f"wrote {len(texts)} files to {escape(str(directory))}")


def _permission_texts(policies: Policies) -> dict[str, str]:
    by_role: dict[str, list[Statement]] = {}
    for statement in policies.statements.values():
        by_role.setdefault(statement.form["role"], []).append(statement)
    return {f"{PERMISSIONS}/{role}.sql": sql_text(held) for role, held in by_role.items()}


@group.command("diff")
def diff(
    context: typer.Context, directory: Directory, prune: Prune = False, as_json: Json = False
) -> None:
    """Show what `apply` would change. The exit code is 0 if that is nothing, and 2 otherwise."""
    with session(context).rest() as rest:
        there = fetch(rest)
        wanted, warnings = read_policies(directory, rest, there, prune=prune)
    found = plan(there, wanted, prune=prune)
    if as_json:
        print_json(_plan_json(found, warnings))
    else:
        _print_plan(found, warnings)
    if found.steps:
        raise typer.Exit(CHANGES)


@group.command("apply")
def apply(
    context: typer.Context,
    directory: Directory,
    prune: Prune = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Make the catalog say what the files say: show the changes, ask, and apply them in turn.

    Every change is checked and recorded as if it was made by hand. At the first that is refused it
    stops; what was applied before stays. Applied again, it goes on from there.
    """
    if not yes and not sys.stdin.isatty():
        raise UsageMistake(NO_TERMINAL, hint="look at `diff`, then apply with --yes")
    with session(context).rest() as rest:
        there = fetch(rest)
        wanted, warnings = read_policies(directory, rest, there, prune=prune)
        found = plan(there, wanted, prune=prune)
        if not as_json:
            _print_plan(found, warnings)
        elif not yes:
            _print_plan(found, warnings, err=True)
        if found.steps and not yes:
            typer.confirm(f"Apply {len(found.steps)} changes?", abort=True, err=True)
        applied: list[Step] = []
        try:
            for step in found.steps:
                step.take(rest)
                applied.append(step)
        except PrivetError as error:
            raise _stopped(error, found, applied, as_json=as_json) from error
    if as_json:
        print_json(_plan_json(found, warnings) | {"applied": len(applied)})
    elif applied:
        print(f"applied {len(applied)} changes")


@group.command("template")
def template(
    name: Annotated[str, typer.Argument(metavar="NAME", help="hipaa-safe-harbor.")],
    role: Annotated[str, typer.Option(help="Whom it binds.")] = ROLE,
    directory: Annotated[
        Path | None,
        typer.Option(help="Write files for `privet policy apply` there, instead of printing."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print statements to begin a policy with; no server is asked.

    hipaa-safe-harbor: the 18 identifiers of 45 CFR 164.514(b)(2)(i), each with tags for its columns
    and a safeguard that removes it for whoever holds the role.
    """
    role = fold_role(role)
    text = template_sql(name, role)
    if directory is not None:
        texts = template_files(name, role)
        write_directory(directory, texts, replace=False)
        if as_json:
            print_json({"files": sorted(texts)})
        else:
            print(f"wrote {len(texts)} files to {escape(str(directory))}")
    elif as_json:
        print_json({"statements": [statement for _, statement in statements(role)]})
    else:
        print(text + NEXT.format(role=role), end="")


def _stopped(error: PrivetError, found: Plan, applied: list[Step], *, as_json: bool) -> PrivetError:
    """The error that ended it, with what it was about; says what was applied before."""
    step = found.steps[len(applied)]
    if as_json:
        print_json(_plan_json(found, []) | {"applied": len(applied)})
    else:
        print(f"applied {len(applied)} of {len(found.steps)} changes, up to this one:")
        print(_line(step))
    error.message = f"{step.place}: {error.message}" if step.place else error.message
    # It counts within the statement, and the place says where that is.
    error.position = None
    return error


def _print_plan(found: Plan, warnings: Sequence[str], *, err: bool = False) -> None:
    out = sys.stderr if err else sys.stdout
    for step in found.steps:
        print(_line(step), file=out)
    if not found.steps:
        print("nothing to do", file=out)
    for step in found.kept:
        print(f"  not in the files, and stays without --prune: {escape(step.sentence)}", file=out)
    print_warnings([*found.notes, *warnings])


def _line(step: Step) -> str:
    place = f"  [{step.place}]" if step.place else ""
    return escape(f"{step.sign} {step.sentence}{place}")


def _plan_json(found: Plan, warnings: Sequence[str]) -> dict[str, Any]:
    return {
        "changes": [step.to_dict() for step in found.steps],
        "kept": [step.to_dict() for step in found.kept],
        "warnings": [*found.notes, *warnings],
    }
