"""The notebook's own cells, unchanged, on current pandas."""

from typing import Any

import pandas as pd
import pytest

from okera import context
from privet.model.errors import NotFound, ParseFailed, UnknownName

pytestmark = pytest.mark.service

SCAN = """
import okera.odas
from okera import context


ctx = context()
ctx.enable_token_auth(token_str=user_token)

# scan data into a pandas dataframe
with ctx.connect(host='{host}', port={port}, ssl=True) as conn:
     df = conn.scan_as_pandas("medical_charges.medical_costs", max_records=100000, strings_as_utf8=True)

df[42:57]
"""  # noqa: E501 - the cell as it is written
MODEL = """
from sklearn.preprocessing import LabelEncoder
le = LabelEncoder()
df['sex'] = le.fit_transform(df['sex'])
df['smoker'] = le.fit_transform(df['smoker'])
df['region'] = le.fit_transform(df['region'])
df["bmi"] = df.bmi.astype(float)
df["charges"] = df.charges.astype(float)

df.drop(['opted_out', 'id', 'mrn'], inplace=True, axis=1)
df.corr()

x = df.drop(['charges','region'], axis = 1)
y = df['charges']

from sklearn.model_selection import train_test_split
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size = 0.3, random_state = 0)
from sklearn.linear_model import LinearRegression

lr = LinearRegression()
lr.fit(x_train, y_train)
score = lr.score(x_test, y_test)
"""


@pytest.fixture(autouse=True)
def _trusted(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVET_CA", str(server.addresses.ca))
    monkeypatch.delenv("PRIVET_TOKEN", raising=False)


def run(server: Any, token: str, cells: str) -> dict[str, Any]:
    """Run cells as a notebook would, and return its names."""
    where = server.addresses
    names: dict[str, Any] = {"user_token": token}
    exec(
        cells.replace("{host}", where.flight_host).replace("{port}", str(where.flight_port)), names
    )
    return names


@pytest.fixture
def conn(server: Any, analyst: str) -> Any:
    """The analyst's connection."""
    ctx = context()
    ctx.enable_token_auth(token_str=analyst)
    where = server.addresses
    with ctx.connect(host=where.flight_host, port=where.flight_port, ssl=True) as connection:
        yield connection


# The cells were written before pandas deprecated this.
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
def test_the_analysts_cells_run_unchanged(server: Any, analyst: str) -> None:
    """No phone, tokens for record numbers, nobody who opted out; the model still learns."""
    df: pd.DataFrame = run(server, analyst, SCAN)["df"]
    raw: pd.DataFrame = run(server, server.admin_token, SCAN)["df"]
    assert "phone" not in df
    assert "phone" in raw
    assert not (df["opted_out"] == 1).any()
    assert (raw["opted_out"] == 1).any()
    assert not set(df["mrn"]) & set(raw["mrn"])
    assert run(server, analyst, SCAN + MODEL)["score"] > 0.5


def test_the_same_cells_are_refused_without_rights(server: Any) -> None:
    """A forged token is not accepted."""
    with pytest.raises(Exception, match="token"):
        run(server, "a.b.c", SCAN)


def test_text_is_bytes_by_default(conn: Any) -> None:
    """As it was."""
    frame = conn.scan_as_pandas("medical_charges.medical_costs", max_records=3)
    assert len(frame) == 3
    assert all(isinstance(value, bytes) for value in frame["mrn"])


def test_rows_as_dictionaries(conn: Any) -> None:
    """A whole dataset may be written as a query."""
    rows = conn.scan_as_json("SELECT * FROM medical_charges.medical_costs", max_records=2)
    assert len(rows) == 2
    frame = conn.scan_as_pandas("medical_charges.medical_costs", 2, strings_as_utf8=True)
    assert list(rows[0]) == list(frame.columns)


QUERIES: tuple[tuple[str, list[dict[str, Any]]], ...] = (
    ("SELECT max(opted_out) AS most FROM medical_charges.medical_costs", [{"most": 0}]),
    ("  select 1 as a union all select 2 order by 1 -- ✓", [{"a": 1}, {"a": 2}]),
    ("/* first */ WITH x AS (SELECT 'ü' AS a) FROM x", [{"a": "ü"}]),
    ("VALUES (1.50, DATE '2020-02-29')", [{"col0": "1.50", "col1": "2020-02-29"}]),
    ("(SELECT NULL::VARCHAR AS a)", [{"a": None}]),
)


@pytest.mark.parametrize(("query", "rows"), QUERIES)
def test_any_query_may_be_scanned(conn: Any, query: str, rows: list[dict[str, Any]]) -> None:
    """Over what the analyst may see, as rows and as a frame."""
    assert conn.scan_as_json(query) == rows
    frame = conn.scan_as_pandas(query, strings_as_utf8=True)
    assert list(frame.columns) == list(rows[0])
    assert len(frame) == len(rows)


def test_a_query_has_the_limits_of_a_scan(conn: Any) -> None:
    """At most `max_records` rows, text as bytes unless asked otherwise."""
    frame = conn.scan_as_pandas("SELECT mrn FROM medical_charges.medical_costs", max_records=3)
    assert len(frame) == 3
    assert all(isinstance(value, bytes) for value in frame["mrn"])
    assert conn.scan_as_json("SELECT 1 AS a", max_records=0) == []


def test_a_query_sees_no_more_than_a_scan(conn: Any) -> None:
    """What is hidden does not exist in a query either."""
    for query, kind in (
        ("SELECT phone FROM medical_charges.medical_costs", UnknownName),
        ("SELECT * FROM medical_charges.absent", NotFound),
        ("SELECT FROM", ParseFailed),
    ):
        with pytest.raises(kind):
            conn.scan_as_pandas(query)


def test_what_there_is(conn: Any) -> None:
    """Names, sorted, of what the analyst sees something of."""
    assert conn.list_databases() == ["medical_charges"]
    assert conn.list_dataset_names("medical_charges") == ["medical_charges.medical_costs"]
    assert conn.list_dataset_names("medical_charges", filter="COST") == [
        "medical_charges.medical_costs"
    ]
    assert conn.list_dataset_names("medical_charges", filter="charges") == []
    with pytest.raises(NotFound):
        conn.scan_as_pandas("medical_charges.absent")


def test_statements_give_rows_of_text(server: Any) -> None:
    """Every value is a string."""
    ctx = context()
    ctx.enable_token_auth(token_str=server.admin_token)
    where = server.addresses
    with ctx.connect(host=where.flight_host, port=where.flight_port) as conn:
        rows = conn.execute_ddl("SHOW DATABASES")
        assert "medical_charges" in [row[0] for row in rows]
        assert all(isinstance(value, str) for row in rows for value in row)
        with pytest.raises(ParseFailed):
            conn.execute_ddl("DROP EVERYTHING")
