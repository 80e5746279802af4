"""`privet tokens`: token domains, what joins on them, how well tokens hide, and their values."""

from __future__ import annotations

import typer

from privet.cli.tokens import domains, reports, values

group = typer.Typer(help="Tokens: what joins on them and what is behind.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    group.add_typer(domains.group, name="domain")
    for module in (reports, values):
        module.add_to(group)
    app.add_typer(group, name="tokens")


__all__ = ["add_to"]
