"""What a handler of a call is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from privet.model.principals import NamedUser
from privet.okera.tasks import Tasks
from privet.service import Caller, Services

DOOR = "okera"


@dataclass(frozen=True, slots=True)
class Address:
    """Where this door is reached, as planned tasks say it."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one connection.

    Attributes:
        services: the use cases.
        caller: whose credentials the connection has; in compatibility mode, the user that the
            request names.
        compatibility: whether nobody is authenticated here, and answers are worded as the
            original's. Only a server made for its test suite is in this mode.
        tasks: what this door runs for its clients.
        address: where workers are: this door itself.
        gone: whether the client has left; any thread may ask.
        files_url: where this server speaks HTTP; empty where it does not.
        bytes_at_once: about how many bytes of rows one answer holds.
    """

    services: Services
    caller: Caller
    compatibility: bool
    tasks: Tasks
    address: Address
    gone: Callable[[], bool]
    files_url: str = ""
    bytes_at_once: int = 2**20

    def of_user(self, user: str) -> Call:
        """The same call as somebody else's: for compatibility mode only."""
        if not self.compatibility:
            raise RuntimeError("nobody acts for another")
        return replace(self, caller=Caller(NamedUser(user), DOOR))


Handler = Callable[[Call, Any], Any]
"""Takes the call's one argument (with several: the struct of them, with none: that struct, empty);
returns what the method returns. Raises PrivetError."""
