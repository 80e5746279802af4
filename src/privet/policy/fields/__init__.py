"""Fields inside columns: where they lie, and what filters over them mean."""

from privet.policy.fields.paths import check_items, field_kinds, fields_in, find_field

__all__ = ["check_items", "field_kinds", "fields_in", "find_field"]
