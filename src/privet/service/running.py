"""What holds while something is read: the right to it is looked at again and again."""

from __future__ import annotations

from collections.abc import Callable

from privet.model.errors import Revoked
from privet.model.principals import Principal
from privet.service.platform import Platform


def still_allowed(platform: Platform, principal: Principal) -> Callable[[], None]:
    """A check that raises Revoked once the token ended or was revoked, or all time is used."""
    ends = platform.clock() + platform.longest_scan

    def check() -> None:
        if platform.clock() >= ends:
            raise Revoked(
                "the scan took longer than this server allows",
                hint="read fewer columns or rows at a time",
            )
        platform.identity.check_still_valid(principal)

    return check
