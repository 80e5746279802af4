"""From a call's name and arguments to its answer, by a table of handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from privet.okera import authorizing, connecting, reading, rpc
from privet.okera.calls import Call, Handler
from privet.okera.errors import Unsupported, raised
from privet.okera.idl import Method, TPayload
from privet.okera.rpc.wording import in_their_words

HANDLERS: Mapping[str, Handler] = {
    **rpc.HANDLERS,
    **authorizing.HANDLERS,
    **connecting.HANDLERS,
    **reading.HANDLERS,
}


class Unsaid(Exception):
    """A call failed whose result has no room to say so; the text is for the client."""


def answer(call: Call, method: Method, arguments: TPayload) -> Any:
    """Run a call: the struct of its result, holding what it returned or why it failed.

    Raises:
        Unsaid: it failed, and its result has no room to say so.
    """
    result = method.result()
    try:
        returned = _handled(call, method, arguments)
    except Exception as error:  # noqa: BLE001 - the door: nothing unexpected may pass it
        told = raised(in_their_words(_named(arguments), error) if call.compatibility else error)
        if not method.raises:
            raise Unsaid(told.message) from None
        result.ex = told
    else:
        if method.returns:
            result.success = returned
    return result


def _named(arguments: Any) -> str:
    """The user whom a request names, if it does."""
    for spec in arguments.thrift_spec.values():
        user = getattr(getattr(arguments, spec[1], None), "requesting_user", None)
        if isinstance(user, str):
            return user
    return ""


def _handled(call: Call, method: Method, arguments: Any) -> Any:
    handler = HANDLERS.get(method.name)
    if handler is None:
        raise Unsupported(f"`{method.name}` is not served here")
    names = [spec[1] for spec in arguments.thrift_spec.values()]
    params = getattr(arguments, names[0]) if len(names) == 1 else arguments
    if params is None:
        raise Unsupported(f"`{method.name}` came without its argument")
    return handler(_as_requested(call, params), params)


def _as_requested(call: Call, params: Any) -> Call:
    """The call of the user that a request names beside its connection's credentials.

    Clients name the user of their own token. Nobody acts for another here: answering such a
    request with the rights of the connection would show more than was asked for.
    """
    user = getattr(params, "requesting_user", None)
    if call.compatibility:
        return call.of_user(user or "")
    if not user:
        return call
    call.services.sessions.identify(call.caller, user)
    return call
