"""The notebook interface named `okera`, over a Privet server."""

from okera.odas import context

__all__ = ["__version__", "context"]
__version__ = "0.1.0.dev0"
