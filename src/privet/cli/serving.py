"""`privet serve` and `privet demo`: the only commands that need the server's code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privet.cli.exits import UsageMistake
from privet.cli.extras import load_extra

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="The REST door's port.")]
FlightPort = Annotated[int | None, typer.Option(min=0, max=65535, help="The Flight door's port.")]
OkeraPort = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Open the okera door, at this port.")
]
OnePort = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Lead from this port to every door.")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(serve)
    app.command()(demo)


def serve(
    config: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Settings, as TOML.")
    ] = None,
    dev: Annotated[
        Path | None, typer.Option(file_okay=False, help="Keep everything in this folder instead.")
    ] = None,
    port: Port = None,
    flight_port: FlightPort = None,
    okera_port: OkeraPort = None,
    one_port: OnePort = None,
) -> None:
    """Run a server until it is told to stop.

    Settings come from --config and PRIVET_* variables. With --dev it is a server for this machine
    alone, with its state, an admin's token and its data in one folder.
    """
    if config is not None and dev is not None:
        raise UsageMistake("give either --config or --dev")
    main = load_extra("privet.server.main", extra="server")
    raise typer.Exit(main.serve(config, dev, main.Ports(port, flight_port, okera_port, one_port)))


def demo(
    directory: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="Put what it makes into this folder; the heat map stays there."
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the state of its services there afterwards.")
    ] = False,
) -> None:
    """Show the whole way from a bucket to a governed data frame, on this machine."""
    main = load_extra("privet.demo.main", extra="demo")
    raise typer.Exit(main.run(keep=keep, directory=directory))
