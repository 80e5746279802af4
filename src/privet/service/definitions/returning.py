"""What counts again once something has a name again."""

from __future__ import annotations

from privet.model.names import DatasetName
from privet.model.permissions import AccessLevel, on_dataset
from privet.model.principals import Principal
from privet.service.platform import Platform
from privet.service.rights import Administrator


def permissions_again(platform: Platform, author: Principal, name: DatasetName) -> tuple[str, ...]:
    """That permissions on a name count again, for an author who may know of them."""
    managing = Administrator.of(platform, author).may(AccessLevel.MANAGE_GRANTS, on_dataset(name))
    if not managing or not platform.catalog.permissions.list(dataset=name):
        return ()
    return (f"permissions that were written on `{name}` before count again",)
