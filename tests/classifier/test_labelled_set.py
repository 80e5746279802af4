"""The built-in library on a part of the labelled set: what the published figures rest on."""

import time

from labelled.measure import measure, sample_of
from labelled.ordinary import ordinary
from labelled.people import HELD_OUT, KINDS, LOCALES, people
from labelled.run import BEGIN, END, PAGE
from labelled.written import written
from privet.classifier import BUILTIN_RULES, BUILTIN_TAGS, classify

ROWS = 40


def test_people_are_found_and_ordinary_columns_left_alone() -> None:
    """Precision and recall over languages in view and ordinary columns are what they must be."""
    columns = [
        *people("en_US", ROWS, "en_US", everything=True),
        *(
            c
            for name in ("de_DE", "pl_PL", "ja_JP")
            for c in people(name, ROWS, name, everything=False)
        ),
        *ordinary(ROWS),
    ]
    scores = measure(columns)
    assert scores.total.precision >= 0.98, scores.mistakes
    assert scores.total.recall >= 0.95, scores.mistakes


def test_held_out_languages_are_found_too() -> None:
    """Nothing is proposed wrongly in languages that nobody looked at, and little is missed."""
    columns = [c for name in ("sl_SI", "es_CL") for c in people(name, ROWS, name, everything=False)]
    scores = measure(columns)
    assert scores.total.precision >= 0.98, scores.mistakes
    assert scores.total.recall >= 0.95, scores.mistakes


def test_columns_that_were_written_by_hand() -> None:
    """Other names and other data than those that rules were written with."""
    scores = measure(written(ROWS))
    assert scores.total.precision >= 0.98, scores.mistakes
    assert scores.total.recall >= 0.95, scores.mistakes


def test_the_set_has_columns_for_every_tag_and_no_language_twice() -> None:
    """A tag without a labelled column would have no figures."""
    assert {kind.tag for kind in KINDS} == {str(tag) for tag, _ in BUILTIN_TAGS}
    assert not {*LOCALES} & {*HELD_OUT}


def test_the_page_has_figures_for_every_tag() -> None:
    """What is published was written by `make bench-classifier` after the last tag was added."""
    figures = PAGE.read_text().split(BEGIN)[1].split(END)[0]
    assert all(f"| `{tag}` | {meaning} |" in figures for tag, meaning in BUILTIN_TAGS)


def test_a_wide_sample_is_classified_in_time() -> None:
    """A hundred columns of a thousand cells: a bound for noticing that something is quadratic."""
    columns = [sample_of(c) for c in people("en_US", 1000, "", everything=True)][:100]
    begun = time.process_time()
    classify(columns, BUILTIN_RULES)
    assert time.process_time() - begun < 20
