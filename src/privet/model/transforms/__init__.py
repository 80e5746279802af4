"""The transforms by name: what a policy may say, not how it is done.

`privet.policy` checks statements against this table, `privet.privacy` implements it, and neither
knows the other.
"""

from privet.model.transforms.calls import (
    SIGNED_USER,
    check_call,
    check_fit,
    is_per_user,
    specs_of,
    steps,
    values_of,
)
from privet.model.transforms.kinds import (
    is_bytes,
    is_exact_decimal,
    is_measure,
    is_moment,
    is_number,
    is_scalar,
    is_small,
    is_text,
    is_tokenizable,
)
from privet.model.transforms.specs import (
    CLEAR_RANK,
    COARSE_RANK,
    HASH_RANK,
    MASK_RANK,
    NULL_RANK,
    PER_PRINCIPAL_RANK,
    PER_TABLE_RANK,
    RANDOM_RANK,
    SPECS,
    TOKEN_RANK,
    ZERO_RANK,
    Parameter,
    TransformSpec,
    find_spec,
    get_spec,
)

__all__ = [
    "CLEAR_RANK",
    "COARSE_RANK",
    "HASH_RANK",
    "MASK_RANK",
    "NULL_RANK",
    "PER_PRINCIPAL_RANK",
    "PER_TABLE_RANK",
    "RANDOM_RANK",
    "SIGNED_USER",
    "SPECS",
    "TOKEN_RANK",
    "ZERO_RANK",
    "Parameter",
    "TransformSpec",
    "check_call",
    "check_fit",
    "find_spec",
    "get_spec",
    "is_bytes",
    "is_exact_decimal",
    "is_measure",
    "is_moment",
    "is_number",
    "is_per_user",
    "is_scalar",
    "is_small",
    "is_text",
    "is_tokenizable",
    "specs_of",
    "steps",
    "values_of",
]
