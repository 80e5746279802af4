"""Why a principal sees what they see: the path of a scan, minus the scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from privet.model.errors import Forbidden, NotFound, PrivetError
from privet.model.events import Outcome
from privet.model.names import DatasetName
from privet.model.permissions import AccessLevel, on_dataset
from privet.model.principals import Principal
from privet.policy import Explanation, explain
from privet.service.access import authenticate, event_of
from privet.service.deciding import Decided, decide_by_name
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator


class Explanations:
    """Explaining decisions."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def explain(
        self,
        caller: Caller,
        dataset: DatasetName,
        user: str | None = None,
        groups: Iterable[str] | None = None,
    ) -> Explanation:
        """What a user would get of a dataset, and why; of oneself without `user`.

        Without `groups` they are those that the user was last seen with.

        Raises:
            Forbidden: somebody else is asked about by one without the right to.
            NotFound: no such dataset for the caller, or a user never seen and no groups given.
        """
        platform = self._platform
        asker = authenticate(platform, caller)
        own = groups is None and user in (None, asker.user)
        administrator = Administrator.of(platform, asker)
        full = _sees_all(administrator, dataset)
        asked = replace(
            event_of(asker, caller, "explain", Outcome.ALLOWED),
            object=str(dataset),
            detail={} if own else {"user": user or asker.user},
        )
        try:
            if not (own or full):
                raise Forbidden(
                    "explaining what somebody else sees needs VIEW_COMPLETE_METADATA",
                    hint="leave out the user to explain what you see",
                )
            subject = asker if own else self._subject(user or asker.user, groups)
            decided = decide_by_name(platform, subject, dataset)
            decision = decided.decision
            if not full:
                decision.require()
            elif decision.dataset is None:
                raise self._unknown(dataset)
        except PrivetError as error:
            refused = replace(asked, outcome=Outcome.REFUSED, error=error.code)
            error.audit_id = platform.audit.record(refused).id
            raise
        platform.audit.record(asked)
        told = explain(decision, steward=full)
        # What is behind a view may be hidden from whoever may see everything of the view.
        behind = (d for d in decided.behind() if _sees_all(administrator, d.name))
        warnings = (*told.warnings, *_lacking(administrator, decided)) if full else told.warnings
        return replace(
            told, warnings=warnings, behind=tuple(explain(d, steward=True) for d in behind)
        )

    def _unknown(self, dataset: DatasetName) -> NotFound:
        left = len(self._platform.catalog.permissions.list(dataset=dataset))
        return NotFound(
            f"dataset `{dataset}` does not exist",
            hint=f"{left} permissions on that name are left over; revoke those that nobody needs"
            if left
            else "",
        )

    def _subject(self, user: str, groups: Iterable[str] | None) -> Principal:
        if groups is None:
            groups = self._platform.catalog.principals.last_groups(user)
            if groups is None:
                raise NotFound(
                    f"user `{user}` has not been seen yet, so their groups are not known",
                    hint="name the groups to explain",
                )
        return self._platform.identity.describe(user, groups)


def _lacking(administrator: Administrator, decided: Decided) -> Iterator[str]:
    """Why a view is closed, to whom may see everything of what its definer may not read."""
    dataset = decided.decision.dataset
    view = dataset.view if dataset else None
    if view is None or decided.lacking is None or not _sees_all(administrator, decided.lacking[0]):
        return
    name, columns = decided.lacking
    what = ", ".join(f"`{column}`" for column in sorted(columns)) or "any column"
    yield f"closed: `{view.definer[1]}`, who made it, may not read {what} of `{name}`"


def _sees_all(administrator: Administrator, dataset: DatasetName) -> bool:
    return administrator.may(AccessLevel.VIEW_COMPLETE_METADATA, on_dataset(dataset))
