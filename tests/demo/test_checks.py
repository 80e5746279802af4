"""The demo's own claims are checked so that a broken server would be noticed."""

from collections.abc import Callable

import pandas as pd
import pytest

from privet.demo.checks import ClaimBroken, check_admin, check_analyst, shape
from privet.demo.generate import generate

TABLE = generate(120, seed=1)
ROW = 3


def analyst_frame() -> pd.DataFrame:
    """What a right server gives: digits turned round stand in for tokens."""
    frame = TABLE.to_pandas()
    frame = frame[frame["opted_out"] != 1].drop(columns="phone").reset_index(drop=True)
    turned = str.maketrans("0123456789", "1234567890")
    frame["mrn"] = [value.translate(turned) for value in frame["mrn"]]
    return frame


def put(column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        cells = frame[column].tolist()
        cells[ROW] = value
        return frame.assign(**{column: cells})

    return change


def reveal(frame: pd.DataFrame) -> pd.DataFrame:
    raw = TABLE.to_pandas().set_index("id")["mrn"]
    return put("mrn", raw[frame["id"][ROW]])(frame)


BROKEN: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "phone is there": lambda frame: frame.assign(phone="(206) 555-0100"),
    "a column is missing": lambda frame: frame.drop(columns="region"),
    "a row is missing": lambda frame: frame.iloc[:-1],
    "an opted-out row is there": put("opted_out", 1),
    "a value was changed": put("charges", 1.0),
    "a number is raw": reveal,
    "a token has another format": put("mrn", "MRN123456789"),
    "a token has other letters": put("mrn", "mrn12345678"),
    "two tokens are equal": lambda frame: put("mrn", frame["mrn"][ROW + 1])(frame),
}


def test_right_views_pass() -> None:
    """What the policy says is what the checks let through."""
    check_analyst(analyst_frame(), TABLE)
    check_admin(TABLE.to_pandas(), TABLE)


@pytest.mark.parametrize("name", BROKEN)
def test_every_broken_analyst_view_is_noticed(name: str) -> None:
    """Each single thing that could be wrong with the analyst's frame fails the demo."""
    broken = BROKEN[name](analyst_frame())
    with pytest.raises(ClaimBroken, match="does not hold"):
        check_analyst(broken, TABLE)


@pytest.mark.parametrize("change", [put("mrn", "MRN00000000"), lambda f: f.iloc[1:]])
def test_an_admin_view_that_differs_is_noticed(
    change: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    """Admin's frame must be the table itself."""
    with pytest.raises(ClaimBroken):
        check_admin(change(TABLE.to_pandas()), TABLE)


def test_shape_keeps_separators() -> None:
    """A format says where letters, digits and other characters stand, and no more."""
    assert shape("MRN-0042 x") == "AAA-9999 a"
