"""The command line: `privet`, one module per noun, everything through the REST door."""

from privet.cli.main import app

__all__ = ["app"]
