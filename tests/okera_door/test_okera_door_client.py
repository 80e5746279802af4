"""The published client, unmodified, against the okera door: over TLS, with a token."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from doors.doors import DOORS, Wanted
from doors.servers import TrialServer
from doors.steward import Steward
from okera_door import pyokera
from privet.demo.generate import generate

pytestmark = pytest.mark.service
NAME = "medical_charges.medical_costs"
CELL = """
import sys
user_token, host, port = sys.argv[1:4]

import okera.odas
from okera import context


ctx = context()
ctx.enable_token_auth(token_str=user_token)

# scan data into a pandas dataframe
with ctx.connect(host=host, port=int(port), ssl=True) as conn:
     df = conn.scan_as_pandas("medical_charges.medical_costs", max_records=100000, strings_as_utf8=True)

df[42:57]

import json
print(json.dumps({"csv": df.to_csv(index=False), "types": [str(t) for t in df.dtypes]}))
"""  # noqa: E501 - the cell as it is written
ASK = """
import json, sys
from okera import context

token, host, port, ca, calls = sys.argv[1:6]
ctx = context(retries=1)
ctx.enable_token_auth(token_str=token)
told = []
try:
    with ctx.connect(host=host, port=int(port), ssl=True, ca_cert=ca) as conn:
        for name, arguments, options in json.loads(calls):
            try:
                told.append(getattr(conn, name)(*arguments, **options))
            except BaseException as error:
                told.append([type(error).__name__, str(error)])
except Exception as error:
    told.append([type(error).__name__, str(error)])
print(json.dumps(told, default=str))
"""


def place(server: TrialServer) -> tuple[str, str]:
    """Where the okera door is."""
    host, _, port = server.okera.rpartition(":")
    return host, port


def frame(server: TrialServer, token: str) -> pd.DataFrame:
    """What the seed's cell shows to the holder of a token."""
    told = pyokera.run(CELL, token, *place(server))
    return pd.read_csv(io.StringIO(told["csv"]))


def ask(server: TrialServer, token: str, *calls: tuple[str, list[Any], dict[str, Any]]) -> Any:
    """What calls of one connection return, or raise; the certificate is checked."""
    return pyokera.run(ASK, token, *place(server), str(server.ca), json.dumps(calls))


def test_the_analysts_cell(server: TrialServer, governed: str) -> None:
    """The seed's own cell, unchanged: no phone, tokens for record numbers, nobody who opted out."""
    shown = frame(server, governed)
    table = DOORS["client"](server, governed, Wanted(NAME), None).table
    assert table is not None
    expected = pd.read_csv(io.StringIO(table.to_pandas().to_csv(index=False)))
    pd.testing.assert_frame_equal(shown, expected)
    assert "phone" not in shown.columns
    assert set(shown["opted_out"]) == {0}
    assert not set(shown["mrn"]) & set(generate().column("mrn").to_pylist())
    assert 1000 < len(shown) < generate().num_rows


def test_the_admins_cell(server: TrialServer, governed: str) -> None:
    """The same cell with an administrator's token: every column and row, as it lies there."""
    shown = frame(server, server.admin_token)
    expected = pd.read_csv(io.StringIO(generate().to_pandas().to_csv(index=False)))
    pd.testing.assert_frame_equal(shown, expected)


def test_calls_of_a_connection(server: TrialServer, governed: str) -> None:
    """Versions, limits, statements in the original's dialect, records as JSON."""
    count = 'select count(*) as n from medical_charges.medical_costs where region like "north%"'
    user = "select `user`() as u, `age` from `medical_charges`.`medical_costs` limit 2"
    version, two, (counted,), users = ask(
        server,
        governed,
        ("get_protocol_version", [], {}),
        ("scan_as_json", [NAME], {"max_records": 2}),
        ("scan_as_json", [count], {}),
        ("scan_as_json", [user.replace("`user`()", "user()")], {}),
    )
    assert version == "1.0"
    assert len(two) == 2
    assert counted["n"] > 0
    assert [row["u"] for row in users] == ["demo_user2", "demo_user2"]


def test_refusals_come_when_a_statement_is_planned(server: TrialServer, governed: str) -> None:
    """As an exception in the caller, not in a worker process; hidden reads as absent."""
    told = ask(
        server,
        governed,
        ("scan_as_pandas", ["medical_charges.nothing"], {}),
        ("scan_as_pandas", [f"select phone from {NAME}"], {}),
        ("scan_as_pandas", [f"select phona from {NAME}"], {}),
        ("scan_as_pandas", ["select from where"], {}),
        ("scan_as_pandas", [f"select interval 1 day as d from {NAME}"], {}),
    )
    assert [kind for kind, _ in told] == ["TRecordServiceException"] * 5
    assert "[not_found, audit " in told[0][1]
    hidden, absent = (text.partition("', detail")[0] for _, text in told[1:3])
    assert hidden.replace("phone", "?") == absent.replace("phona", "?")


def test_who_is_not_known_is_told_so(server: TrialServer) -> None:
    """Refused when the connection is made, in the words that the client's users know."""
    header, body, _ = server.admin_token.split(".")
    ((kind, text),) = ask(server, f"{header}.{body}.c2lnbmF0dXJl")
    assert kind in ("TTransportException", "OkeraException", "TException"), (kind, text)
    assert "Could not verify token" in text


def test_nested_values(server: TrialServer, steward: Steward) -> None:
    """Lists, maps and structs, with NULL at every level; a struct that is NULL has NULL fields."""
    table = pa.table(
        {
            "id": [1, 2, 3],
            "many": pa.array([[1, None], None, []], pa.list_(pa.int64())),
            "held": pa.array(
                [{"a": 1, "b": ["x"]}, None, {"a": None, "b": None}],
                pa.struct([("a", pa.int32()), ("b", pa.list_(pa.string()))]),
            ),
            "by": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())),
        }
    )
    dataset = steward.dataset(table, suffix="parquet")
    (rows,) = ask(server, server.admin_token, ("scan_as_json", [dataset], {}))
    assert rows == [
        {"id": 1, "many": [1, None], "held": {"a": 1, "b": ["x"]}, "by": {"k": 1}},
        {"id": 2, "many": None, "held": {"a": None, "b": None}, "by": None},
        {"id": 3, "many": [], "held": {"a": None, "b": None}, "by": {}},
    ]
