"""Small mistakes that somebody could make in deciding through views, and in tags by lineage."""

from __future__ import annotations

from mutants import LAW, Mutant

DECIDING, LINEAGE = "service/deciding.py", "catalog/definitions/lineage.py"

VIEW_MUTANTS = (
    Mutant(
        "administrators_behind_views",
        DECIDING,
        "reader = replace(self.reader, admin=False) if facts.through else self.reader",
        "reader = self.reader",
    ),
    Mutant(
        "no_safeguards_of_the_reader",
        DECIDING,
        "if not self.reader.admin:\n            guards |=",
        "if False:\n            guards |=",
    ),
    Mutant(
        "no_safeguards_on_the_way",
        DECIDING,
        "for each in chain for p in asked[name, each].safeguards",
        "for each in chain[-1:] for p in asked[name, each].safeguards",
    ),
    Mutant(
        "no_safeguards_of_the_definer",
        DECIDING,
        "for each in chain for p in asked[name, each].safeguards",
        "for each in chain[:-1] for p in asked[name, each].safeguards",
    ),
    Mutant(
        "read_by_the_grants_of_the_reader", DECIDING, "            granted,\n", "            own,\n"
    ),
    Mutant(
        "roles_asked_of_the_definer",
        DECIDING,
        "through=Definer(definer.user, own.roles,",
        "through=Definer(definer.user, granted.roles,",
    ),
    Mutant(
        "objects_of_the_reader",
        DECIDING,
        "through=Definer(definer.user,",
        "through=Definer(self.reader.user,",
    ),
    Mutant(
        "objects_of_nobody_between",
        DECIDING,
        "frozenset(each.user for each in chain))",
        "frozenset())",
    ),
    Mutant(
        "a_lost_column_closes_nothing",
        DECIDING,
        "if not visible or not columns <= visible:",
        "if not visible:",
    ),
    Mutant(
        "a_closed_view_is_seen",
        DECIDING,
        "return Decided(_closed(decision), lacking=lacking)",
        "return Decided(decision, {}, lacking)",
    ),
    Mutant("decided_once_for_all_ways", DECIDING, "key = (name, chain)", "key = (name, ())"),
    Mutant(
        "the_definer_is_asked",
        LAW,
        "reader = Reader(principal, through.asking if through else facts.roles, now)",
        "reader = Reader(principal, facts.roles, now)",
    ),
    Mutant(
        "tags_of_a_part_grant",
        LINEAGE,
        "(column.name,) if whole else (column.name, PART)",
        "(column.name,)",
    ),
    Mutant(
        "only_tags_of_all_parts",
        LINEAGE,
        "return {tag: tag in whole for tag in every}",
        "return {tag: True for tag in whole}",
    ),
    Mutant(
        "tags_of_tables_stay_behind",
        LINEAGE,
        "base.effective_tags(c) for base, c in there))",
        "c.tags | c.inner_tags for base, c in there))",
    ),
)
