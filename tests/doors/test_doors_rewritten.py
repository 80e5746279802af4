"""The cases of the doors, once more: each as a statement for another engine over the raw rows."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot

from doors.clinic import CASES, Clinic
from doors.doors import DOORS, Wanted
from doors.thrift_client import log_in, opened
from privet.okera.idl import T

pytestmark = pytest.mark.service
POLICIES: list[dict[str, Any]] = json.loads((CASES / "policies.json").read_text())
EXPRESSED = {
    "having only",
    "except transform",
    "null",
    "zero",
    "two grants meet cell by cell",
    "catalog scope",
    "a filter that no row passes",
    "an administrator",
}
"""What PostgreSQL can say; of the others nothing is shown, or they have tokens or ranges."""


def rewritten(clinic: Clinic, token: str) -> str:
    """The patients, as a statement for PostgreSQL."""
    params = T.TAuthorizeQueryParams(
        sql=f"SELECT * FROM {clinic.patients}", client=T.TAuthorizeQueryClient.POSTGRES
    )
    with opened(clinic.server.okera, clinic.server.ca) as wire:
        log_in(wire, token)
        return wire.call("AuthorizeQuery", params=params).result_sql


def elsewhere(clinic: Clinic, sql: str) -> pa.Table:
    """What an engine answers that has the raw rows: DuckDB, to which the SQL is translated."""
    database, _, name = clinic.patients.partition(".")
    (told,) = sqlglot.transpile(sql, read="postgres", write="duckdb", identify=True)
    with duckdb.connect() as connection:
        connection.execute(f'CREATE SCHEMA "{database}"')
        path = CASES / "patients.csv"
        connection.execute(
            f'CREATE TABLE "{database}"."{name}" AS'
            " SELECT * REPLACE (coalesce(phone, '') AS phone, coalesce(region, '') AS region)"
            f" FROM read_csv('{path}')"
        )
        return connection.sql(told).to_arrow_reader(1_000).read_all()


@pytest.mark.parametrize("case", POLICIES, ids=[case["name"] for case in POLICIES])
def test_elsewhere_a_policy_shows_the_same_or_nothing(clinic: Clinic, case: Any) -> None:
    """The answer equals the scan's, or no statement is given; and what is hidden is absent."""
    token, user = clinic.server.admin_token, ""
    if case.get("who") != "admin":
        reader = clinic.steward.reader()
        names = {"patients": clinic.patients, "database": clinic.database, "role": reader.role}
        grants = (grant.format(vault=clinic.vault, **names) for grant in case["grants"])
        clinic.steward.sqls(grants)
        token, user = reader.token, reader.user
    scanned = DOORS["flight command"](clinic.server, token, Wanted(clinic.patients), None)
    if case["name"] not in EXPRESSED:
        with pytest.raises(T.TRecordServiceException) as raised:
            rewritten(clinic, token)
        assert ("does not exist" in raised.value.message) == (scanned.table is None)
        return
    assert scanned.table is not None
    found = elsewhere(clinic, rewritten(clinic, token))
    assert found.column_names == scanned.table.column_names
    assert found.cast(scanned.table.schema.remove_metadata()).to_pydict() == (
        scanned.table.to_pydict()
    )
    if user:
        (event,) = clinic.server.events(user=user, action="query.rewrite")
        assert (event["object"], event["outcome"]) == (clinic.patients, "allowed")
        assert event["statement"] == f"SELECT * FROM {clinic.patients}"
