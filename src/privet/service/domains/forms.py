"""What use cases about token domains give, as the JSON that every door sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from privet.catalog import TokenJob
from privet.model.transforms import TransformSpec
from privet.service.domains.domains import DomainView
from privet.service.domains.matrix import JoinGroup
from privet.service.domains.risks import TokenRisk
from privet.service.forms import moment

if TYPE_CHECKING:
    from privet.service.domains.trials import Tried

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


_KINDS: Mapping[str, tuple[pa.DataType, ...]] = {
    "text": (pa.string(),),
    "bytes": (pa.binary(),),
    "integers": (
        *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
        *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    ),
    "decimals": (pa.decimal128(38, 2),),
    "fractions": (pa.float64(),),
    "booleans": (pa.bool_(),),
    "dates": (pa.date32(),),
    "timestamps": (pa.timestamp("us"),),
    "times": (pa.time64("us"),),
    "durations": (pa.duration("us"),),
    "lists, structs, maps": (pa.list_(pa.string()),),
}


def transform_json(spec: TransformSpec) -> Json:
    """A transform, for whoever writes policies."""
    return {
        "name": spec.name,
        "aliases": list(spec.aliases),
        "arguments": [p.says + ("" if p.required else " (optional)") for p in spec.parameters],
        "types": fitting_types(spec),
        "leaves_columns": spec.says,
        "still_shows": spec.shows,
        "keyed": spec.keyed,
    }


def fitting_types(spec: TransformSpec) -> list[str]:
    """What columns a transform fits, in words where it fits all of a kind."""
    found: list[str] = []
    for name, kinds in _KINDS.items():
        fitting = [str(kind) for kind in kinds if spec.fits(kind)]
        found += [name] if len(fitting) == len(kinds) else fitting
    return found


def tried_json(tried: Tried) -> Json:
    """What a transform made of some values."""
    return {**asdict(tried), "values": list(tried.values), "shows": list(tried.shows)}
