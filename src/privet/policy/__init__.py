"""Statements (SQL, JSON, English), the law of union, and explanations. Pure: values in, values out.

`parse` reads a statement, `check` says whether it may be stored, `decide` applies the law, and
`explain` puts a decision into words.
"""

from privet.policy.administration import Need, Passing, Reach, Ruling, judge, may, may_pass, reach
from privet.policy.binding import check_filter, column_kinds, columns_of, kind_of
from privet.policy.bound import Same, may_cover
from privet.policy.carrying import carry
from privet.policy.checking import Vocabulary, check
from privet.policy.constants import DAY_NAMES
from privet.policy.domains import (
    NO_PROFILES,
    Community,
    Profiles,
    Risk,
    admission_risks,
)
from privet.policy.fields import check_items, field_kinds, fields_in, with_fields
from privet.policy.fold import ALWAYS, NEVER, fold_filter
from privet.policy.functions import FUNCTIONS, Function, Kind, kind_of_type
from privet.policy.language import definitions, shows
from privet.policy.language.english import filter_english, to_english
from privet.policy.language.expressions import parse_filter, parse_tags, parse_transform
from privet.policy.language.forms import from_json, to_json
from privet.policy.language.parsing import parse
from privet.policy.language.printing import filter_sql, tags_sql, to_sql, transform_sql
from privet.policy.language.statements import (
    CreateRole,
    CreateTag,
    DropRole,
    DropTag,
    Grant,
    GrantRole,
    Places,
    Revoke,
    RevokeRole,
    Statement,
)
from privet.policy.language.types import type_sql
from privet.policy.law import NEVER_TRUE, decide
from privet.policy.overlaps import misfit
from privet.policy.sets import elements
from privet.policy.settling import roles_asked
from privet.policy.telling.differences import (
    Change,
    ColumnChange,
    Rows,
    Shown,
    compare,
    filter_of,
    rows_of,
    shown_as,
)
from privet.policy.telling.explain import Explanation, explain
from privet.policy.telling.layers import (
    Layered,
    Named,
    compare_layers,
    rows_through,
    shown_through,
)

__all__ = [
    "ALWAYS",
    "DAY_NAMES",
    "FUNCTIONS",
    "NEVER",
    "NEVER_TRUE",
    "NO_PROFILES",
    "Change",
    "ColumnChange",
    "Community",
    "CreateRole",
    "CreateTag",
    "DropRole",
    "DropTag",
    "Explanation",
    "Function",
    "Grant",
    "GrantRole",
    "Kind",
    "Layered",
    "Named",
    "Need",
    "Passing",
    "Places",
    "Profiles",
    "Reach",
    "Revoke",
    "RevokeRole",
    "Risk",
    "Rows",
    "Ruling",
    "Same",
    "Shown",
    "Statement",
    "Vocabulary",
    "admission_risks",
    "carry",
    "check",
    "check_filter",
    "check_items",
    "column_kinds",
    "columns_of",
    "compare",
    "compare_layers",
    "decide",
    "definitions",
    "elements",
    "explain",
    "field_kinds",
    "fields_in",
    "filter_english",
    "filter_of",
    "filter_sql",
    "fold_filter",
    "from_json",
    "judge",
    "kind_of",
    "kind_of_type",
    "may",
    "may_cover",
    "may_pass",
    "misfit",
    "parse",
    "parse_filter",
    "parse_tags",
    "parse_transform",
    "reach",
    "roles_asked",
    "rows_of",
    "rows_through",
    "shown_as",
    "shown_through",
    "shows",
    "tags_sql",
    "to_english",
    "to_json",
    "to_sql",
    "transform_sql",
    "type_sql",
    "with_fields",
]
