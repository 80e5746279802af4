"""Which permissions count for something new, under a name that they may have met before."""

from __future__ import annotations

from privet.model.datasets import Dataset
from privet.model.permissions import AccessLevel, on_dataset
from privet.model.principals import Principal
from privet.service.permissions import misfits_of
from privet.service.platform import Platform
from privet.service.rights import Administrator


def permissions_again(platform: Platform, author: Principal, made: Dataset) -> tuple[str, ...]:
    """That some count again, or have filters that do not fit, for who may know of them."""
    administrator, name = Administrator.of(platform, author), made.name
    misfits = misfits_of(platform, administrator, made)
    managing = administrator.may(AccessLevel.MANAGE_GRANTS, on_dataset(name))
    if not managing or not platform.catalog.permissions.list(dataset=name):
        return misfits
    return (f"permissions that were written on `{name}` before count again", *misfits)
