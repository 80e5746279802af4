"""What use cases about token domains give, as the JSON that every door sends."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from privet.catalog import TokenJob
from privet.service.domains.domains import DomainView
from privet.service.domains.matrix import JoinGroup
from privet.service.domains.risks import TokenRisk
from privet.service.forms import moment

Json = dict[str, Any]


def domain_json(view: DomainView) -> Json:
    """A token domain, with the datasets in it that its reader may know of."""
    domain = view.domain
    return {
        "name": domain.name,
        "default": view.default,
        "canonical": domain.canonical.value,
        "tags": sorted(domain.tags),
        "version": domain.version,
        "purpose": domain.purpose,
        "rotated_at": moment(domain.rotated_at),
        "retired_at": moment(domain.retired_at),
        "datasets": [str(name) for name in domain.datasets],
    }


def join_json(group: JoinGroup) -> Json:
    """Columns that join with each other."""
    return {
        "domain": group.domain,
        "version": group.version,
        "columns": [
            {
                "dataset": str(joined.dataset),
                "column": joined.column,
                "type": joined.type,
                "tags": list(joined.tags),
            }
            for joined in group.columns
        ],
    }


def risk_json(risk: TokenRisk) -> Json:
    """A frequency report; counts that are withheld are null."""
    return {
        "dataset": str(risk.dataset),
        "column": risk.column,
        "domains": list(risk.domains),
        "rows": risk.rows,
        "nulls": risk.nulls,
        "distinct": risk.distinct,
        "small": risk.small,
        "top": list(risk.top),
        "classes": [asdict(c) for c in risk.classes],
        "exact": risk.exact,
        "told": risk.told,
    }


def job_json(job: TokenJob) -> Json:
    """A job, and how far it is."""
    return asdict(job) | {
        "status": job.status.value,
        "started_at": moment(job.started_at),
        "finished_at": moment(job.finished_at),
    }
