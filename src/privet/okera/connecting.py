"""The calls that both services have: versions, and who connects with what."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from privet.okera.calls import Call, Handler
from privet.okera.idl import T

PROTOCOL = "1.0"


def _protocol_version(_: Call, __: Any) -> str:
    return PROTOCOL


def _server_version(_: Call, __: Any) -> Any:
    return T.TServerVersion(version=version("privet"))


def _init_application(call: Call, _: Any) -> Any:
    user = call.services.sessions.identify(call.caller).user
    return T.TInitApplicationResult(protocol_version=PROTOCOL, authenticated_user=user)


def _set_application(_: Call, __: str) -> None:
    """Nothing rests on what a client calls itself."""


def _metric(_: Call, __: str) -> Any:
    return T.TMetricResponse()


HANDLERS: Mapping[str, Handler] = {
    "GetProtocolVersion": _protocol_version,
    "GetServerVersion": _server_version,
    "InitApplication": _init_application,
    "SetApplication": _set_application,
    "GetMetric": _metric,
}
