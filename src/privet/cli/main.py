"""The root command: global options, the commands, and one place where errors become exit codes."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import privet
from privet.cli import (
    audits,
    connections,
    crawls,
    databases,
    datasets,
    effects,
    permissions,
    policies,
    roles,
    rules,
    runs,
    scans,
    serving,
    sessions,
    statements,
    tags,
    tokens,
    users,
)
from privet.cli.exits import exit_code, print_error
from privet.cli.session import Session
from privet.cli.tagging import proposals
from privet.model.errors import PrivetError


class Root(TyperGroup):
    """Turns errors into a message on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            typer.Exit: with the error's code.
        """
        try:
            return super().invoke(ctx)
        except PrivetError as error:
            print_error(error, ctx.meta.get("statement", ""))
            raise typer.Exit(exit_code(error)) from error


app = typer.Typer(
    name="privet",
    cls=Root,
    help="Govern who reads what of a data lake, and read it.",
    no_args_is_help=True,
    # Tracebacks of typer's own show local variables, and tokens are among them.
    pretty_exceptions_enable=False,
    # Plain help starts three times faster.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        print(privet.__version__)
        raise typer.Exit


@app.callback()
def _root(  # pyright: ignore[reportUnusedFunction] - typer calls it
    context: typer.Context,
    url: Annotated[str, typer.Option(envvar="PRIVET_URL", help="The server's REST address.")] = "",
    token: Annotated[
        str,
        typer.Option(
            envvar="PRIVET_TOKEN",
            help="Your token. Others on this machine can see options: prefer the variable.",
        ),
    ] = "",
    ca: Annotated[
        str,
        typer.Option(envvar="PRIVET_CA", help="A PEM file with CAs to trust besides the system's."),
    ] = "",
    version: Annotated[  # noqa: ARG001 - the callback acts on it
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    context.obj = Session(url, token, ca)


for module in (
    serving,
    sessions,
    users,
    tags,
    rules,
    proposals,
    tokens,
    roles,
    databases,
    permissions,
    effects,
    policies,
    connections,
    crawls,
    datasets,
    statements,
    scans,
    runs,
    audits,
):
    module.add_to(app)
