"""`privet tokens` and `privet transform`: domains, what joins, how well tokens hide, and values."""

from __future__ import annotations

import typer

from privet.cli.tokens import domains, reports, transforms, values

group = typer.Typer(help="Tokens: what joins on them and what is behind.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    group.add_typer(domains.group, name="domain")
    for module in (reports, values):
        module.add_to(group)
    app.add_typer(group, name="tokens")
    app.add_typer(transforms.group, name="transform")


__all__ = ["add_to"]
