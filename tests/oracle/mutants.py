"""Small mistakes that somebody could make in the policy and its enforcement."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A mistake: in `file`, below `src/privet`, `right` has become `wrong`."""

    name: str
    file: str
    right: str
    wrong: str


GRANTS, LAW, FOLD = "policy/grants.py", "policy/law.py", "policy/fold.py"
PLAN, EVALUATE, COMPARE = "enforcement/plan.py", "enforcement/evaluate.py", "enforcement/compare.py"
VALUES, REBUILD = "enforcement/values.py", "enforcement/rebuild.py"

MUTANTS = (
    # ---- what a grant says
    Mutant("unreviewed_is_reviewed", GRANTS, "if not column.reviewed:", "if column is None:"),
    Mutant(
        "filters_see_unreviewed",
        "policy/binding.py",
        "for c in dataset.columns if c.reviewed}",
        "for c in dataset.columns}",
    ),
    Mutant(
        "having_ignored",
        GRANTS,
        "if not held.grants(grant.having) and not any(c.excepted for c in clauses):",
        "if False:",
    ),
    Mutant(
        "except_ignored",
        GRANTS,
        "if not held.grants(grant.having) and not any(c.excepted for c in clauses):",
        "if not held.grants(grant.having):",
    ),
    Mutant(
        "tags_inside_ignored",
        "model/datasets.py",
        "return self.outer_tags(column) | column.inner_tags",
        "return self.outer_tags(column)",
    ),
    Mutant(
        "tags_inside_show",
        GRANTS,
        "matches(having, self.effective) and matches(having, self.outer)",
        "matches(having, self.effective)",
    ),
    Mutant(
        "tags_inside_undo_transforms",
        GRANTS,
        "return matches(tags, self.effective) or matches(tags, self.outer)",
        "return matches(tags, self.effective)",
    ),
    Mutant(
        "not_ignored_in_tags",
        GRANTS,
        "return not matches(part, held)",
        "return matches(part, held)",
    ),
    Mutant("weakest_clause_counts", GRANTS, "clause = max(clauses,", "clause = min(clauses,"),
    Mutant(
        "scope_by_table_name_only",
        GRANTS,
        "scope.database == database and (kind is whole or scope.dataset == name)",
        "kind is whole or scope.dataset == name",
    ),
    Mutant("ends_a_second_late", GRANTS, "if moment < self.end", "if moment - 1 < self.end"),
    Mutant("in_force_at_its_end", GRANTS, "if moment < self.end", "if moment <= self.end"),
    Mutant(
        "not_in_force_at_its_start", GRANTS, "if moment < self.start", "if moment <= self.start"
    ),
    Mutant(
        "every_transform_adds_columns",
        GRANTS,
        "not any(c.excepted for c in clauses)",
        "not clauses",
    ),
    Mutant(
        "own_tokens_rank_as_shared",
        GRANTS,
        "return PER_TABLE_RANK if spec.rank == TOKEN_RANK and not admitted else spec.rank",
        "return spec.rank",
    ),
    Mutant(
        "database_tags_forgotten",
        "model/datasets.py",
        "return column.tags | self.tags | self.database_tags",
        "return column.tags | self.tags",
    ),
    # ---- how grants unite
    Mutant(
        "roles_ignored", LAW, "if permission.role not in facts.roles:", "if not permission.role:"
    ),
    Mutant(
        "most_protective_wins",
        LAW,
        "for order in sorted(ways):",
        "for order in sorted(ways)[::-1]:",
    ),
    Mutant(
        "shared_tokens_beside_clear",
        LAW,
        "per_principal=_is_keyed(use)",
        "per_principal=False",
    ),
    Mutant(
        "one_filter_shows_all_rows",
        LAW,
        "expressions = {f.text: f.filter for f in ordered}",
        "expressions = dict.fromkeys((f.text for f in ordered))",
    ),
    Mutant(
        "null_filter_grants", FOLD, "if _T not in part.possible:", 'if part.possible == {"FALSE"}:'
    ),
    Mutant(
        "may_fail_is_always",
        FOLD,
        "part.possible == _TRUE and not part.may_fail",
        "part.possible == _TRUE",
    ),
    # ---- how it is enforced
    Mutant(
        "last_filter_ignored",
        PLAN,
        "for f in self._filters]",
        "for f in (*self._filters[:-1], None)]",
    ),
    Mutant(
        "every_filter_has_to_hold",
        PLAN,
        "np.logical_or.reduce(masks)\n",
        "np.logical_and.reduce(masks)\n",
    ),
    Mutant(
        "columns_come_apart",
        PLAN,
        "holds = np.logical_or.reduce([masks[i] for i in sorted(option.filters)]) & open_cells",
        "holds = np.logical_or.reduce(masks) & open_cells",
    ),
    Mutant(
        "tokens_without_the_dataset", PLAN, 'own = dataset.id if spec.per_table else ""', 'own = ""'
    ),
    Mutant(
        "tokens_without_the_reader",
        PLAN,
        "if use.per_principal else None",
        "if use is None else None",
    ),
    Mutant("failures_ignored", EVALUATE, "else passing & ~value.failed", "else passing"),
    Mutant(
        "or_for_and",
        EVALUATE,
        "self._combine(pc.and_kleene, parts)",
        "self._combine(pc.or_kleene, parts)",
    ),
    Mutant(
        "and_not_kleene",
        EVALUATE,
        "self._combine(pc.and_kleene, parts)",
        "self._combine(pc.and_, parts)",
    ),
    Mutant(
        "null_is_true",
        VALUES,
        "pc.fill_null(datum, fill_value=False)",
        "pc.fill_null(datum, fill_value=True)",
    ),
    Mutant(
        "case_fails_for_branches_not_taken",
        EVALUATE,
        "failed |= value.failed & taken",
        "failed |= value.failed",
    ),
    Mutant(
        "nan_differs_from_nan",
        COMPARE,
        "extra = pc.and_(left_nan, right_nan)",
        "extra = pc.and_(left_nan, pc.invert(left_nan))",
    ),
    Mutant("nan_equals_nothing", COMPARE, "return pc.or_(plain, extra)", "return plain"),
    Mutant(
        "integers_lose_digits",
        VALUES,
        "return without(Value(floats, value.failed), ~exact & valid_rows(datum, rows), rows)",
        "return Value(floats, value.failed)",
    ),
    Mutant(
        "values_left_under_null",
        REBUILD,
        "return _zero_under_null(kept) if kept.null_count else _without_marks(kept)",
        "return kept",
    ),
    Mutant(
        "withheld_but_not_taken_out",
        REBUILD,
        "return rebuild(column.take(positions), None)",
        "return pc.if_else(pa.array(show), column, pa.scalar(None, column.type))",
    ),
    Mutant(
        "slices_leave_whole",
        REBUILD,
        "if keep is None and _is_part(column):",
        "if keep is None and False:",
    ),
)
