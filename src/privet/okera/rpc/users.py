"""Users: what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from privet.model.errors import Forbidden
from privet.model.principals import Principal
from privet.okera.calls import Call, Handler
from privet.okera.idl import T

_SOURCE = "static"


def _attributes(call: Call, params: Any) -> Any:
    asker = call.services.sessions.identify(call.caller)
    if params.all_users:
        if not asker.admin:
            raise Forbidden("Only admins can request user attributes for all users")
        users = call.services.sessions.list_seen(call.caller)
        return _told({user: _of(call, user) for user in users})
    wanted = params.user or asker.user
    if wanted == asker.user:
        return _told({wanted: dict(asker.attributes)})
    if not asker.admin:
        raise Forbidden("Only admins can request user attributes for a user other than themselves")
    return _told({wanted: _of(call, wanted)})


def _of(call: Call, user: str) -> dict[str, str]:
    if call.compatibility:
        named = call.of_user(user)
        known: Principal = call.services.sessions.identify(named.caller)
        return dict(known.attributes)
    return dict(call.services.sessions.attributes_of(call.caller, user))


def _told(attributes: Mapping[str, Mapping[str, str]]) -> Any:
    return T.TGetUserAttributesResult(
        attributes={
            user: {
                name: T.TUserAttributeValue(value=value, source=_SOURCE)
                for name, value in known.items()
            }
            for user, known in attributes.items()
        }
    )


def _user(call: Call, _: Any) -> Any:
    known = call.services.sessions.identify(call.caller)
    return T.TGetAuthenticatedUserResult(user=known.user)


HANDLERS: Mapping[str, Handler] = {"GetUserAttributes": _attributes, "AuthenticatedUser": _user}
