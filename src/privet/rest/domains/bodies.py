"""Bodies about token domains."""

from __future__ import annotations

from pydantic import Field

from privet.model.datasets import CanonicalType
from privet.rest.bodies import Body


class NewDomain(Body):
    """A token domain, and the tags that it serves; `type` is what its values are."""

    name: str
    tags: list[str]
    type: CanonicalType = CanonicalType.TEXT
    purpose: str = ""


class Admission(Body):
    """How to admit a dataset."""

    accept_writers: bool = Field(
        False, description="though people who read tokens can write there; this is on record"
    )


class ToDetokenize(Body):
    """Tokens, and what their values are for."""

    tokens: list[str]
    purpose: str
    version: int | None = Field(None, strict=True, ge=1, lt=2**63)


class NewMap(Body):
    """The key version whose tokens a map is from; the one before by default."""

    version: int | None = Field(None, strict=True, ge=1, lt=2**63)


class ToTry(Body):
    """A transform as after WITH, and values as text; `domain` is whose key to use."""

    transform: str
    values: list[str | None]
    type: str = "string"
    domain: str | None = None
    purpose: str = Field("", description="what the key is used for; on record")
