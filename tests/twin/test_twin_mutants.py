"""The twin catches mistakes: each of these, made on purpose, leads to a statement that differs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from privet.enforcement import hints, plan
from privet.model.expressions import CompareOp, In
from privet.query import Read, feeding
from privet.scan import stream
from privet.service.asking import Asking
from query.platforms import Place, open_place
from twin.running import opened
from twin.worlds import world_of

PROVE = bool(os.environ.get("PRIVET_PROVE"))
MOST = 60
EACH = 25
Make = Callable[[pytest.MonkeyPatch], None]


def hints_leave_out_equal_values(patch: pytest.MonkeyPatch) -> None:
    """`<=` becomes `<` where the source is asked for less."""
    right = hints._compare

    def wrong(op: CompareOp, column: Any, value: Any) -> Any:
        return right(CompareOp.LT if op is CompareOp.LE else op, column, value)

    patch.setattr(hints, "_compare", wrong)


def tokens_are_taken_for_values(patch: pytest.MonkeyPatch) -> None:
    """The source is asked for rows that hold a token, not the value that it stands for."""
    right = hints._raw

    def wrong(condition: Any, seen: Any) -> Any:
        return None if right(condition, seen) is None else condition

    patch.setattr(hints, "_raw", wrong)


def hidden_cells_are_compared(patch: pytest.MonkeyPatch) -> None:
    """Conditions look at cells in the clear, whatever of them is shown."""
    right = plan.EnforcedPlan._passing

    def wrong(self: Any, columns: Any, keep: Any, masks: Any) -> Any:
        rows = len(masks[0]) if masks else 0
        cells = {
            o.column.name: columns[o.column.name]
            if keep is None
            else columns[o.column.name].take(keep)
            for o in self._asked.tested
        }
        try:
            passing = plan.passing_rows(self._asked.where, cells, rows)
        except Exception:  # noqa: BLE001 - a token may be of another kind than its value
            return right(self, columns, keep, masks)
        positions = plan.np.arange(rows) if keep is None else plan.np.asarray(keep)
        return pa.array(positions[passing]), [m[passing] for m in masks]

    patch.setattr(plan.EnforcedPlan, "_passing", wrong)


def conditions_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    """The engine believes that the reader filtered, and it did not."""
    right = Asking._open
    patch.setattr(Asking, "_open", lambda self, read: right(self, replace(read, where=())))


def lists_lose_their_last_value(patch: pytest.MonkeyPatch) -> None:
    """Of IN (a, b, c) only a and b count."""
    right = feeding._condition

    def wrong(schema: pa.Schema, operator: str, column: str, value: Any) -> Any:
        made = right(schema, operator, column, value)
        return In(made.subject, made.options[:-1] or made.options) if operator == "in" else made

    patch.setattr(feeding, "_condition", wrong)


def one_comparison_is_another(patch: pytest.MonkeyPatch) -> None:
    """`>=` is read as `>`."""
    patch.setitem(feeding._OPERATORS, ">=", CompareOp.GT)


def limits_are_one_less(patch: pytest.MonkeyPatch) -> None:
    """LIMIT 5 gives four rows."""
    right = Asking._open

    def wrong(self: Asking, read: Read) -> Any:
        less = None if read.limit is None else max(0, read.limit - 1)
        return right(self, replace(read, limit=less))

    patch.setattr(Asking, "_open", wrong)


def columns_are_swapped(patch: pytest.MonkeyPatch) -> None:
    """The last two columns that were asked for come in the other order."""
    right = feeding.Feeding.checked

    def wrong(self: Any, asked: Any) -> Read:
        read = right(self, asked)
        kinds = [self._schemas[read.dataset].field(c).type for c in read.columns]
        if len(kinds) > 1 and kinds[-1] == kinds[-2]:
            swapped = (*read.columns[:-2], read.columns[-1], read.columns[-2])
            return replace(read, columns=swapped)
        return read

    patch.setattr(feeding.Feeding, "checked", wrong)


def last_batches_are_lost(patch: pytest.MonkeyPatch) -> None:
    """What is left over when batches are cut to size does not leave."""
    right = stream.recut

    def wrong(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from (batch.slice(0, max(0, batch.num_rows - 1)) for batch in right(batches))

    # What a plain scan shows loses the same row; only what is read under conditions differs.
    patch.setattr(stream, "recut", wrong)


MISTAKES: tuple[Make, ...] = (
    hints_leave_out_equal_values,
    tokens_are_taken_for_values,
    hidden_cells_are_compared,
    conditions_are_forgotten,
    lists_lose_their_last_value,
    one_comparison_is_another,
    limits_are_one_less,
    columns_are_swapped,
    last_batches_are_lost,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform of its own."""
    with open_place(tmp_path_factory.mktemp("mutants") / "platform") as place:
        yield place


@pytest.mark.parametrize(
    "mistake",
    MISTAKES if PROVE else (conditions_are_forgotten, hidden_cells_are_compared),
    ids=lambda make: make.__name__,
)
def test_a_mistake_is_caught(place: Place, mistake: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within some dozens of worlds."""
    for seed in range(MOST):
        with opened(place, world_of(seed)) as world:
            if world is None:
                continue
            drawn = world.statements()
            with monkeypatch.context() as patch:
                mistake(patch)
                for _ in range(EACH):
                    if world.disagreement(drawn.draw())[0]:
                        return
    pytest.fail(f"{mistake.__name__} was not noticed")
