"""The messages of the protocol, read from the IDL beside this file.

`T` has every struct, exception and enum by its name: `T.TSchema(cols=[])`, `T.TTypeId.INT`.
`METHODS` has every call by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from types import SimpleNamespace
from typing import Any

import thriftpy2
from thriftpy2.thrift import TPayload

_FILES = ("schema", "worker", "objects", "planning", "catalog", "planner")


@dataclass(frozen=True, slots=True)
class Method:
    """One call: the structs of its arguments and of its result, and whether it may raise."""

    name: str
    arguments: Any
    result: Any

    @property
    def raises(self) -> bool:
        """Whether its result has room for a TRecordServiceException."""
        return any(spec[1] == "ex" for spec in self.result.thrift_spec.values())

    @property
    def returns(self) -> bool:
        """Whether it has a result at all."""
        return "success" in (spec[1] for spec in self.result.thrift_spec.values())


def _loaded() -> list[Any]:
    with as_file(files(__name__)) as folder:
        return [
            thriftpy2.load(str(folder / f"{name}.thrift"), module_name=f"{__name__}.{name}_thrift")
            for name in _FILES
        ]


def _messages(modules: list[Any]) -> SimpleNamespace:
    return SimpleNamespace(
        **{
            name: value
            for module in modules
            for name, value in vars(module).items()
            if name.startswith("T") and isinstance(value, type)
        }
    )


def _methods(modules: list[Any]) -> dict[str, Method]:
    services = [
        service
        for module in modules
        for service in vars(module).values()
        if isinstance(service, type) and hasattr(service, "thrift_services")
    ]
    return {
        name: Method(name, getattr(service, f"{name}_args"), getattr(service, f"{name}_result"))
        for service in services
        for name in service.thrift_services
    }


_MODULES = _loaded()
T: Any = _messages(_MODULES)
METHODS = _methods(_MODULES)

__all__ = ["METHODS", "Method", "T", "TPayload"]
