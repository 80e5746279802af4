"""Fields inside columns: where they lie, what filters over them mean, what grants show of them."""

from privet.policy.fields.parts import are_within, listed_fields, with_fields
from privet.policy.fields.paths import (
    check_items,
    field_kinds,
    fields_in,
    find_field,
    lacks_field,
)

__all__ = [
    "are_within",
    "check_items",
    "field_kinds",
    "fields_in",
    "find_field",
    "lacks_field",
    "listed_fields",
    "with_fields",
]
