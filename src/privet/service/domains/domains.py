"""Declaring, rotating and retiring token domains, and admitting datasets to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from privet.catalog import Domain
from privet.model.datasets import CanonicalType, Dataset
from privet.model.errors import Conflict, InvalidRequest
from privet.model.events import Event, Outcome
from privet.model.names import DatasetName, TagName, fold
from privet.model.permissions import AccessLevel, on_dataset, on_namespace, on_token_domain
from privet.model.principals import Principal
from privet.policy import Community, Need, Risk, admission_risks
from privet.service.access import Act, administer, authenticate, event_of
from privet.service.deciding import definer_of
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator

_LONGEST_PURPOSE = 1_000
_NAMED_RISKS = 3
_SOMEBODY = "a role"


@dataclass(frozen=True, slots=True)
class DomainView:
    """A domain as its reader may see it: only datasets that they may know of."""

    domain: Domain

    @property
    def default(self) -> bool:
        """Whether it is the one that a tag has without anybody declaring it."""
        return self.domain.name in self.domain.tags


class Domains:
    """Which columns have tokens in common. Everybody may see the domains, as they may see tags."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self, caller: Caller) -> tuple[DomainView, ...]:
        """All domains, by name."""
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        found = self._platform.catalog.domains.list()
        known = administrator.known_datasets({d for domain in found for d in domain.datasets})
        return tuple(_seen(domain, known) for domain in found)

    def get(self, caller: Caller, name: str) -> DomainView:
        """One domain.

        Raises:
            NotFound: there is none of that name.
        """
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        domain = self._platform.catalog.domains.get(name)
        return _seen(domain, administrator.known_datasets(domain.datasets))

    def create(
        self,
        caller: Caller,
        name: str,
        canonical: CanonicalType,
        tags: Iterable[TagName],
        purpose: str = "",
    ) -> DomainView:
        """Declare a domain for tags; datasets are admitted to it one by one.

        Raises:
            InvalidRequest: no tags, or a name that only the domain of a tag has.
            Conflict: the name is taken, or a tag has a declared domain already.
        """
        name, served = fold(name, "token domain"), frozenset(tags)
        if not served:
            raise InvalidRequest("a token domain serves at least one tag", hint="name its tags")
        needs = (Need(AccessLevel.ALTER, on_namespace(n)) for n in sorted({t[0] for t in served}))
        detail = {"tags": sorted(map(str, served)), "canonical": canonical, "purpose": purpose}
        act = Act("domain.create", name, detail=detail, needs=tuple(needs))
        with administer(self._platform, caller, act):
            created = self._platform.catalog.domains.create(
                name, canonical, served, purpose=_checked(purpose)
            )
            return DomainView(created)

    def rotate(self, caller: Caller, name: str) -> DomainView:
        """Make all tokens from now on under the next key version.

        Raises:
            NotFound: there is no such domain.
            Conflict: it is retired.
        """
        with administer(self._platform, caller, _altering("domain.rotate", name)) as admin:
            return self._view(admin, self._platform.catalog.domains.rotate(name))

    def retire(self, caller: Caller, name: str) -> DomainView:
        """Let nothing be admitted to it any more.

        Raises:
            NotFound: there is no such domain.
            Conflict: it is retired, or datasets are in it.
        """
        with administer(self._platform, caller, _altering("domain.retire", name)) as admin:
            return self._view(admin, self._platform.catalog.domains.retire(name))

    def admit(
        self, caller: Caller, name: str, dataset: DatasetName, *, accept_writers: bool = False
    ) -> DomainView:
        """Let a dataset have the tokens of a domain.

        Args:
            caller: who may alter both.
            name: of the domain.
            dataset: the one to admit.
            accept_writers: admit it though people who read tokens can write there; on record.

        Raises:
            Conflict: they can, and that is not accepted; or the domain is retired.
            NotFound: no such domain or dataset.
            TypeMismatch: no column of it fits the domain.
        """
        detail = {"dataset": str(dataset), "accept_writers": accept_writers}
        act = _altering("domain.admit", name, dataset, detail)
        with administer(self._platform, caller, act) as admin:
            catalog = self._platform.catalog
            joining, domain = catalog.datasets.get(dataset), catalog.domains.get(name)
            risks = self._risks(joining, domain)
            if risks and not accept_writers:
                raise self._refused(admin, dataset, risks)
            if risks:
                self._record_accepted(event_of(admin, caller, "", Outcome.ALLOWED), act, risks)
            return self._view(admin, catalog.domains.admit(name, joining))

    def expel(self, caller: Caller, name: str, dataset: DatasetName) -> DomainView:
        """Let a dataset have tokens of its own from now on.

        Raises:
            NotFound: no such domain or dataset, or it is not in it.
        """
        act = _altering("domain.expel", name, dataset, {"dataset": str(dataset)})
        with administer(self._platform, caller, act) as admin:
            leaving = self._platform.catalog.datasets.get(dataset)
            return self._view(admin, self._platform.catalog.domains.expel(name, leaving))

    def _view(self, reader: Principal, domain: Domain) -> DomainView:
        administrator = Administrator.of(self._platform, reader)
        return _seen(domain, administrator.known_datasets(domain.datasets))

    def _risks(self, joining: Dataset, domain: Domain) -> tuple[Risk, ...]:
        snapshot = self._platform.catalog.snapshot()
        inside = {name for name in domain.datasets if name != joining.name}
        groups: dict[str, set[tuple[str, str]]] = {}
        for group, roles in snapshot.roles.items():
            for role in roles:
                groups.setdefault(role, set()).add(group)
        people = [
            Principal(p.user, p.groups, p.issuer, other_groups=p.other_groups)
            for p in self._platform.catalog.principals.list()
        ]
        if joining.view is not None:
            people.append(definer_of(self._platform, joining.view.definer))
        held = {snapshot.roles_of(person).bound for person in people}
        return admission_risks(
            joining,
            (d for d in snapshot.datasets if d.name in inside),
            domain.tags,
            snapshot.permissions,
            Community({role: frozenset(of) for role, of in groups.items()}, held),
            _made_of({joining.name, *inside}, snapshot.datasets),
        )

    def _refused(self, admin: Principal, dataset: DatasetName, risks: tuple[Risk, ...]) -> Conflict:
        known = Administrator.of(self._platform, admin).known_roles(
            {role for risk in risks for role in (risk.writer, risk.reader)}
        )

        def say(role: str) -> str:
            return f"`{role}`" if role in known else _SOMEBODY

        told = dict.fromkeys(f"{say(r.writer)} with {say(r.reader)}" for r in risks)
        return Conflict(
            f"people who read tokens of this domain can write to `{dataset}`, and so look up what "
            f"tokens stand for: {', '.join(list(told)[:_NAMED_RISKS])}",
            hint="take one of the two rights from them, or accept it with `--accept-writers`",
        )

    def _record_accepted(self, event: Event, act: Act, risks: tuple[Risk, ...]) -> None:
        accepted = [[risk.writer, risk.reader] for risk in risks]
        detail = {**act.detail, "writers": accepted}
        self._platform.audit.record(
            replace(event, action="domain.accept_writers", object=act.object, detail=detail)
        )


def _seen(domain: Domain, known: Collection[DatasetName]) -> DomainView:
    return DomainView(replace(domain, datasets=tuple(d for d in domain.datasets if d in known)))


def _made_of(names: Collection[DatasetName], datasets: Sequence[Dataset]) -> Iterator[Dataset]:
    """The views and copies of some datasets, and those of these."""
    known = {*names}
    waiting = list(datasets)
    while found := [d for d in waiting if _origins(d) & known]:
        yield from found
        known |= {d.name for d in found}
        waiting = [d for d in waiting if d not in found]


def _origins(dataset: Dataset) -> frozenset[DatasetName]:
    seen = dataset.view.sees if dataset.view else ()
    return frozenset(seen) | frozenset(dataset.copy.origins if dataset.copy else ())


def _altering(
    action: str,
    name: str,
    dataset: DatasetName | None = None,
    detail: Mapping[str, object] | None = None,
) -> Act:
    needs = [Need(AccessLevel.ALTER, on_token_domain(name))]
    if dataset is not None:
        needs.append(Need(AccessLevel.ALTER, on_dataset(dataset)))
    return Act(action, name, detail=detail or {}, needs=tuple(needs))


def _checked(purpose: str) -> str:
    if len(purpose) > _LONGEST_PURPOSE or not purpose.isprintable():
        raise InvalidRequest(
            f"a purpose is one line of at most {_LONGEST_PURPOSE} characters", hint="shorten it"
        )
    return purpose
