"""Token domains, the join matrix, reports, maps between key versions, detokenizing."""

from __future__ import annotations

from fastapi import APIRouter, status

from privet.model.names import DatasetName, TagName, fold, fold_domain
from privet.rest.bodies import items
from privet.rest.callers import CallerDep, ServicesDep
from privet.rest.domains.bodies import Admission, NewDomain, NewMap, ToDetokenize, ToTry
from privet.rest.strict import StrictRoute
from privet.service.domains import Trial
from privet.service.domains.forms import (
    domain_json,
    job_json,
    join_json,
    risk_json,
    transform_json,
    tried_json,
)
from privet.service.forms import Json

router = APIRouter(route_class=StrictRoute, prefix="/v1", tags=["token domains"])
_AT = "/token-domains/{domain}"


@router.get("/token-domains")
def list_domains(caller: CallerDep, services: ServicesDep) -> Json:
    """All token domains."""
    return items([domain_json(d) for d in services.domains.list(caller)])


@router.post("/token-domains", status_code=status.HTTP_201_CREATED)
def create_domain(caller: CallerDep, services: ServicesDep, body: NewDomain) -> Json:
    """Declare a domain that tags share."""
    tags = [TagName.parse(tag) for tag in body.tags]
    name = fold(body.name, "token domain")
    return domain_json(services.domains.create(caller, name, body.type, tags, body.purpose))


@router.get(_AT)
def get_domain(caller: CallerDep, services: ServicesDep, domain: str) -> Json:
    """One domain."""
    return domain_json(services.domains.get(caller, fold_domain(domain)))


@router.post(_AT + "/rotate")
def rotate_domain(caller: CallerDep, services: ServicesDep, domain: str) -> Json:
    """Make tokens under the next key version from now on."""
    return domain_json(services.domains.rotate(caller, fold_domain(domain)))


@router.post(_AT + "/retire")
def retire_domain(caller: CallerDep, services: ServicesDep, domain: str) -> Json:
    """Let nothing be admitted any more."""
    return domain_json(services.domains.retire(caller, fold_domain(domain)))


@router.post(_AT + "/datasets/{database}/{name}")
def admit_dataset(
    caller: CallerDep,
    services: ServicesDep,
    domain: str,
    database: str,
    name: str,
    body: Admission | None = None,
) -> Json:
    """Let a dataset have the tokens of a domain."""
    accept = body is not None and body.accept_writers
    dataset = _dataset(database, name)
    view = services.domains.admit(caller, fold_domain(domain), dataset, accept_writers=accept)
    return domain_json(view)


@router.delete(_AT + "/datasets/{database}/{name}")
def expel_dataset(
    caller: CallerDep, services: ServicesDep, domain: str, database: str, name: str
) -> Json:
    """Let a dataset have tokens of its own."""
    dataset = _dataset(database, name)
    return domain_json(services.domains.expel(caller, fold_domain(domain), dataset))


@router.post(_AT + "/detokenize")
def detokenize(
    caller: CallerDep, services: ServicesDep, domain: str, body: ToDetokenize
) -> dict[str, list[str | None]]:
    """Turn tokens back into values; null where there is no way back."""
    values = services.detokenizing.detokenize(
        caller, fold_domain(domain), body.tokens, body.purpose, body.version
    )
    return {"values": values}


@router.post(_AT + "/maps", status_code=status.HTTP_202_ACCEPTED)
def start_map(
    caller: CallerDep, services: ServicesDep, domain: str, body: NewMap | None = None
) -> Json:
    """Write a map from old tokens to new ones, in the background."""
    version = body.version if body is not None else None
    return job_json(services.token_maps.start(caller, fold_domain(domain), version))


@router.get("/token-maps")
def list_maps(caller: CallerDep, services: ServicesDep) -> Json:
    """The writing of maps, the latest first."""
    return items([job_json(job) for job in services.token_maps.list(caller)])


@router.get("/token-maps/{identifier}")
def get_map(caller: CallerDep, services: ServicesDep, identifier: str) -> Json:
    """How far the writing of a map is."""
    return job_json(services.token_maps.get(caller, identifier))


@router.get("/token-joins")
def list_joins(caller: CallerDep, services: ServicesDep, domain: str | None = None) -> Json:
    """Which columns join on tokens, as far as the caller may know of them."""
    chosen = None if domain is None else fold_domain(domain)
    return items([join_json(group) for group in services.joins.matrix(caller, chosen)])


@router.get("/datasets/{database}/{name}/columns/{column}/token-risk")
def get_risk(
    caller: CallerDep, services: ServicesDep, database: str, name: str, column: str
) -> Json:
    """How identifiable the tokens of a column remain, by how often values occur."""
    dataset = _dataset(database, name)
    return risk_json(services.token_risks.of_column(caller, dataset, fold(column, "column name")))


@router.get("/transforms")
def list_transforms(caller: CallerDep, services: ServicesDep) -> Json:
    """The transforms that policies are written with, and what each still shows."""
    return items([transform_json(spec) for spec in services.trials.list(caller)])


@router.post("/transforms/try")
def try_transform(caller: CallerDep, services: ServicesDep, body: ToTry) -> Json:
    """What a policy would make of values; with a domain it takes DETOKENIZE there."""
    domain = None if body.domain is None else fold_domain(body.domain)
    trial = Trial(body.transform, body.values, body.type, domain, body.purpose)
    return tried_json(services.trials.run(caller, trial))


def _dataset(database: str, name: str) -> DatasetName:
    return DatasetName(fold(database, "database name"), fold(name, "dataset name"))
