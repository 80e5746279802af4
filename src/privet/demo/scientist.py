"""Steps 8 to 11, by the data scientist: what she gets, what admin gets, and what it is good for."""

from __future__ import annotations

import pandas as pd

from privet.demo import cells, models
from privet.demo.checks import check_admin, check_analyst, claim, frames_equal
from privet.demo.generate import WINDOW
from privet.demo.objectstore import LAKE, SCRATCH
from privet.demo.stage import ADMIN, ANALYST, ANALYST_GROUP, DATASET, KEY, Stage, issue_token
from privet.demo.views import print_block, print_frames, print_table

_LEAST_OPTED_OUT = 5
_LINEAR = (0.65, 0.85)


def work(stage: Stage) -> None:
    """Do the steps in their order."""
    _log_in(stage)
    _scan_as_analyst(stage)
    _scan_as_admin(stage)
    _train(stage)


def _log_in(stage: Stage) -> None:
    with stage.step(8, f"{ANALYST} logs in; the bucket itself is closed to her"):
        issue_token(stage, ADMIN, ())
        ends = issue_token(stage, ANALYST, (ANALYST_GROUP,))
        where = stage.addresses
        rows = (
            ("host", where.flight_host),
            ("port", str(where.flight_port)),
            ("dataset", DATASET),
            ("token", f"names her and {ANALYST_GROUP}, signed, good until {ends:%H:%M} UTC"),
        )
        print_table(stage.console, ("connection", ""), rows)
        _read_bucket_directly(stage)


def _read_bucket_directly(stage: Stage) -> None:
    """Try what a policy cannot prevent if the bucket is open: going around it."""
    mine = stage.store.filesystem(stage.store.analyst)
    with mine.open_output_stream(f"{SCRATCH}/hello") as note:
        note.write(b"her keys are good")
    try:
        with mine.open_input_stream(f"{LAKE}/{KEY}") as stream:
            stream.read()
    except OSError as error:
        claim("ACCESS_DENIED" in str(error), f"the bucket denies access, not fails: {error}")
        stage.done(f"with her own S3 keys, s3://{LAKE}/{KEY} is refused: access denied")
    else:
        claim(holds=False, sentence="the bucket refuses the analyst's own S3 keys")


def _scan_as_analyst(stage: Stage) -> None:
    with stage.step(9, f"{ANALYST} runs the notebook cell"):
        print_block(stage.console, cells.write_cell(stage.addresses))
        token = stage.tokens[ANALYST]
        frame = cells.run_cell(stage.addresses, token)
        check_analyst(frame, stage.table)
        stage.frames[ANALYST] = frame
        stage.done(f"{len(frame):,} rows, {len(frame.columns)} columns; no phone")
        stage.done("mrn is tokenized: same format, every value another")
        stage.done("no row of a patient who opted out")
        by_client = cells.scan_by_client(stage.addresses, token)
        by_rest = cells.scan_by_rest(stage.addresses, token)
        claim(frames_equal(by_client, frame), "privet.connect gives the same frame")
        claim(frames_equal(by_rest, frame), "REST gives the same frame")
        stage.done("the same, value by value, from privet.connect and as CSV over REST")


def _scan_as_admin(stage: Stage) -> None:
    with stage.step(10, "The same cell with admin's token"):
        frame = cells.run_cell(stage.addresses, stage.tokens[ADMIN])
        check_admin(frame, stage.table)
        stage.frames[ADMIN] = frame
        window = frame.iloc[WINDOW.start : WINDOW.stop]
        opted_out = window["opted_out"].tolist().count(1)
        claim(opted_out >= _LEAST_OPTED_OUT, "at least five of admin's fifteen rows opted out")
        stage.done(f"{len(frame):,} rows, {len(frame.columns)} columns, every value as it is")
        stage.console.print()
        title = f"df[{WINDOW.start}:{WINDOW.stop}]"
        theirs = stage.frames[ANALYST].iloc[WINDOW.start : WINDOW.stop]
        views = [(f"{ADMIN}: {title}", window), (f"{ANALYST}: {title}", theirs)]
        print_frames(stage.console, views)
        same = len({*window["id"]} & {*theirs["id"]})
        stage.say(
            f"{opted_out} of admin's {len(WINDOW)} patients opted out and are in no row of"
            f" {ANALYST}'s; hers move up. {same} of her {len(WINDOW)} are patients of admin's"
            " window too: she sees tokens for their record numbers, and no phone."
        )


def _train(stage: Stage) -> None:
    with stage.step(11, "Both train the tutorial's models"):
        rows: list[tuple[str, ...]] = []
        for user in (ANALYST, ADMIN):
            scores = models.train(stage.frames[user])
            claim(
                _LINEAR[0] < scores.linear < _LINEAR[1] and scores.polynomial > scores.linear,
                f"the scores of {user} are as the tutorial says",
            )
            figures = (f"{scores.linear:.4f}", f"{scores.polynomial:.4f}")
            rows.append((user, f"{scores.rows:,}", *figures))
        headers = ("whose frame", "rows#", "linear regression#", "with squares and products#")
        print_table(stage.console, headers, rows)
        stage.say(f"What goes with what in {ANALYST}'s frame, as a heat map:")
        # A path that is broken over two lines is no path any more.
        stage.console.print(f"    {_draw(stage, stage.frames[ANALYST])}", soft_wrap=True)


def _draw(stage: Stage, frame: pd.DataFrame) -> str:
    path = stage.output / "heat-map.png"
    models.draw_heat_map(frame, path)
    claim(path.stat().st_size > 0, "the heat map was drawn")
    return str(path)
