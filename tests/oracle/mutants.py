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
ITEMS = "enforcement/items.py"
VALUES, REBUILD = "enforcement/values.py", "enforcement/rebuild.py"
BOUND, GUARDS, SETTLING = "policy/bound.py", "policy/guards.py", "policy/settling.py"
PERMISSIONS, TRANSFORMS = "model/permissions.py", "model/transforms/calls.py"

MUTANTS = (
    # ---- what a grant says
    Mutant("unreviewed_is_reviewed", GRANTS, "if not column.reviewed or ", "if False or "),
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
        BOUND,
        "matches(having, self.effective) and matches(having, self.outer)",
        "matches(having, self.effective)",
    ),
    Mutant(
        "tags_inside_undo_transforms",
        BOUND,
        "return matches(tags, self.effective) or matches(tags, self.outer)",
        "return matches(tags, self.effective)",
    ),
    Mutant(
        "not_ignored_in_tags",
        BOUND,
        "return not matches(part, held)",
        "return matches(part, held)",
    ),
    Mutant("weakest_clause_counts", GRANTS, "clause = max(clauses,", "clause = min(clauses,"),
    Mutant(
        "scope_by_table_name_only",
        PERMISSIONS,
        "return (self.database, self.dataset) == name",
        "return self.dataset == name.name",
    ),
    Mutant("ends_a_second_late", BOUND, "if moment < self.end", "if moment - 1 < self.end"),
    Mutant("in_force_at_its_end", BOUND, "if moment < self.end", "if moment <= self.end"),
    Mutant("not_in_force_at_its_start", BOUND, "if moment < self.start", "if moment <= self.start"),
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
    Mutant(
        "column_list_ignored",
        "policy/fields/parts.py",
        "if not grant.columns or column.name in grant.columns:",
        "if grant is not None:",
    ),
    Mutant(
        "every_level_reads", GRANTS, "is Effect.GRANT and grant.level.reads:", "is Effect.GRANT:"
    ),
    Mutant(
        "all_is_not_for_reading",
        PERMISSIONS,
        "frozenset({AccessLevel.SELECT, AccessLevel.ALL})",
        "frozenset({AccessLevel.SELECT})",
    ),
    Mutant(
        "per_user_scope_is_for_everybody",
        BOUND,
        "return scope is not None and scope.covers(name)",
        "return scope is None or scope.covers(name)",
    ),
    Mutant(
        "names_are_bent_to_fit_scopes",
        PERMISSIONS,
        "safe = _SAFE_IN_PATHS if self.kind is ScopeKind.URI else _SAFE_IN_NAMES",
        "user, safe = user.lower(), _SAFE_IN_NAMES",
    ),
    Mutant(
        "nested_transforms_from_outside",
        TRANSFORMS,
        "return (*steps(inner), own)",
        "return (own, *steps(inner))",
    ),
    Mutant(
        "nested_ranks_as_its_mildest", GRANTS, "return max(_step_rank(", "return min(_step_rank("
    ),
    # ---- what a filter asks
    Mutant(
        "one_role_is_enough",
        SETTLING,
        "return self.roles.issuperset(roles_named(call))",
        "return not self.roles.isdisjoint(roles_named(call))",
    ),
    Mutant(
        "negated_roles_are_stored",
        "policy/checking.py",
        "if misplaced := misplaced_roles(where):",
        "if (misplaced := misplaced_roles(where)) and False:",
    ),
    Mutant(
        "null_set_is_empty",
        SETTLING,
        "members.value is None:\n        return In(subject, (_NULL,))",
        "members.value is None:\n        return Literal(False)",
    ),
    Mutant("keys_of_attributes_as_written", SETTLING, "texts(call)[0].lower())", "texts(call)[0])"),
    Mutant(
        "table_attribute_of_the_table_only",
        SETTLING,
        "in dataset.tags | dataset.database_tags else",
        "in dataset.tags else",
    ),
    Mutant(
        "several_columns_with_attribute_are_missing",
        SETTLING,
        "for c in dataset.columns if c.reviewed) > 1",
        "for c in dataset.columns if c.reviewed) > 99",
    ),
    Mutant("lists_keep_blanks", "policy/sets.py", 'tail or plain).strip(" ")', "tail or plain)"),
    # ---- how grants unite
    Mutant("roles_ignored", LAW, "if permission.role not in facts.roles or not", "if not"),
    Mutant(
        "most_protective_wins",
        LAW,
        "for order in sorted(ways):",
        "for order in sorted(ways)[::-1]:",
    ),
    Mutant(
        "shared_tokens_beside_clear",
        LAW,
        "per_principal=_is_keyed(o.use)",
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
    # ---- what safeguards take
    Mutant(
        "deny_forgotten",
        GUARDS,
        "hides = guard.effect is Effect.DENY or not",
        "hides = guard.effect is not Effect.DENY and not",
    ),
    Mutant(
        "restrict_having_forgotten",
        GUARDS,
        "hides = guard.effect is Effect.DENY or not (guard.transforms or guard.where)",
        "hides = guard.effect is Effect.DENY",
    ),
    Mutant(
        "safeguards_by_the_groups_of_the_token",
        "model/principals.py",
        "return self.effective_groups | self.other_groups",
        "return self.effective_groups",
    ),
    Mutant(
        "missing_columns_never_matter", GUARDS, "ignored = where.missing and", "ignored = True or"
    ),
    Mutant(
        "missing_columns_ignored_unasked",
        GUARDS,
        'ignored = where.missing and guard.permission.properties.get(_MISSING) == "ignore"',
        "ignored = where.missing",
    ),
    Mutant(
        "missing_columns_always_close",
        GUARDS,
        'ignored = where.missing and guard.permission.properties.get(_MISSING) == "ignore"',
        "ignored = False",
    ),
    Mutant(
        "a_safeguard_true_for_no_row_is_none",
        GUARDS,
        'return FiringGuard(guard, empty="its filter is true for no row")',
        "return FiringGuard(guard)",
    ),
    Mutant("what_does_not_fit_stays_clear", GUARDS, "hidden[place] = error.message", "del error"),
    Mutant(
        "unreadable_safeguards_are_void",
        GUARDS,
        'return self.window.problem if self.window.disabled else ""',
        "return self.window.problem",
    ),
    Mutant(
        "having_of_a_safeguard_means_what_all_bear",
        GUARDS,
        "or held.meets(guard.having)",
        "or held.grants(guard.having)",
    ),
    Mutant(
        "where_of_a_safeguard_is_always_for_rows",
        GUARDS,
        "return self.guard.permission.having is None",
        "return self.guard.permission.where is not None",
    ),
    Mutant(
        "one_safeguard_is_enough",
        LAW,
        "tuple(ways[order] for order in sorted(ways)),",
        "tuple(ways[order] for order in sorted(ways)[-1:]),",
    ),
    Mutant(
        "safeguards_the_strictest_first",
        LAW,
        "tuple(ways[order] for order in sorted(ways)),",
        "tuple(ways[order] for order in sorted(ways)[::-1]),",
    ),
    # ---- how it is enforced
    Mutant(
        "safeguards_before_the_union",
        PLAN,
        "*(use for use in chosen.safeguards if use != own))",
        "*(chosen.safeguards if own is None else ()))",
    ),
    Mutant(
        "the_same_transform_twice",
        PLAN,
        "*(use for use in chosen.safeguards if use != own))",
        "*chosen.safeguards)",
    ),
    Mutant(
        "any_restriction_is_enough",
        PLAN,
        "visible = visible & passing_rows(restriction, columns, rows)",
        "visible = visible | passing_rows(restriction, columns, rows)",
    ),
    Mutant(
        "restrictions_forgotten",
        PLAN,
        "for restriction in self._restrictions:",
        "for restriction in ():",
    ),
    Mutant(
        "cell_filters_skipped",
        PLAN,
        "for cell_filter in output.cell_filters:",
        "for cell_filter in ():",
    ),
    Mutant(
        "sets_meet_if_one_holds_the_other",
        EVALUATE,
        "not set(elements(one)).isdisjoint(elements(other))",
        "set(elements(one)).issuperset(elements(other))",
    ),
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
        "np.logical_or.reduce([masks[i] for i in sorted(option.filters)])",
        "np.logical_or.reduce(masks)",
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
    Mutant("failures_ignored", EVALUATE, "return found & ~broken", "return found"),
    # ---- fields and items
    Mutant(
        "failing_items_are_passed_over",
        EVALUATE,
        "broken[at[value.failed]] = True",
        "broken[at[value.failed & passing]] = True",
    ),
    Mutant(
        "every_item_has_to_do",
        EVALUATE,
        "found[at[passing]] = True",
        "found[at] = ~np.isin(at, at[~passing])",
    ),
    Mutant(
        "rows_without_items_are_not_asked",
        ITEMS,
        "none = np.flatnonzero(sizes == 0)",
        "none = np.flatnonzero(sizes < 0)",
    ),
    Mutant(
        "outer_items_are_not_taken_along",
        ITEMS,
        "reached = {p: _Spread(each.values, _at(each, parents)) for p, each in reached.items()}",
        "reached = {}",
    ),
    Mutant(
        "fields_are_the_whole_column",
        GRANTS,
        "CLEAR if fields is None else _of_fields(fields)",
        "CLEAR",
    ),
    Mutant(
        "fields_of_one_grant_cover_those_of_another",
        LAW,
        "known = covered if way.fields is not None else covered | in_part",
        "known = covered | in_part",
    ),
    Mutant(
        "fields_are_seen_by_any_filter",
        PLAN,
        "seen[path[1:]] = seen[path[1:]] | holds if path[1:] in seen else holds",
        "seen[path[1:]] = open_cells",
    ),
    Mutant(
        "other_fields_stay_in_the_type",
        LAW,
        "if shown and None not in shown else column",
        "if not shown else column",
    ),
    Mutant(
        "items_lose_their_rows",
        "enforcement/partial.py",
        "np.repeat(rows, sizes) for path",
        "np.repeat(rows | True, sizes) for path",
    ),
    Mutant(
        "several_lists_fit",
        BOUND,
        "        check_items(expr, dataset, kinds)\n",
        "",
    ),
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
