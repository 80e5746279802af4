"""The files of text, and the statements over all of them."""

from __future__ import annotations

import json
from pathlib import Path

from conformance import columnar

ALLTYPES = (
    "true|0|1|2|3|4.0|5.0|hello|vchar1|char1|2015-01-01|3.141592\n"
    "false|6|7|8|9|10.0|11.0|world|vchar2|char2|2016-01-01|1234.56789\n"
)
SAMPLE = "This is a sample test file.\nIt should consist of two lines.\n"
_TEXT = "ROW FORMAT DELIMITED FIELDS TERMINATED BY"
_ALLTYPES_COLUMNS = (
    "(bool_col boolean, tinyint_col tinyint, smallint_col smallint, int_col int, bigint_col bigint,"
    " float_col float, double_col double, string_col string, varchar_col varchar(10),"
    f" char_col char(5), timestamp_col timestamp, decimal_col decimal(24, 10)) {_TEXT} '|'"
)
_USERS = (
    "(uid string COMMENT 'Unique user id', dob string COMMENT 'Formatted as DD-month-YY',"
    " gender string, ccn string"
    f" COMMENT 'Sensitive data, should not be accessible without masking.') {_TEXT} ','"
)
_ACCOUNTS = (
    "(name string, phone string, email string, userid string, lastlogin string,"
    " creditcardnumber string, loc string, ipv4_address string, ipv6_address string)"
    f" {_TEXT} '|'"
)
_NATIONS = (
    "ALGERIA ARGENTINA BRAZIL CANADA EGYPT ETHIOPIA FRANCE GERMANY INDIA INDONESIA IRAN IRAQ JAPAN"
    " JORDAN KENYA MOROCCO MOZAMBIQUE PERU CHINA ROMANIA SAUDI_ARABIA VIETNAM RUSSIA UNITED_KINGDOM"
    " UNITED_STATES"
).split()
_REGIONS = (0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1)
_NATION = (
    f"(n_nationkey smallint, n_name string, n_regionkey smallint, n_comment string) {_TEXT} '|'"
)
_NO_HEADER = "TBLPROPERTIES('skip.header.line.count'='0')"


def _asset() -> dict[str, object]:
    """A thing with its place and parts, with the members that the client's tests send."""
    places = "country region locality streetAddress postalCode".split()
    variable = {"name": "a name", "value": "a value"}
    return {
        **_said("name externalId description"),
        "location": {**{p: f"a {p}" for p in places}, "longitude": 1.5, "latitude": 2.5},
        "variables": [variable],
        "aspects": [{"name": "an aspect", "variables": [variable]}],
        "fileAssignments": [{"key": "a key", "fileId": "an id"}],
        **_said("typeId parentId timezone twinType tenantId subTenant t2Tenant assetId"),
        "locks": [_said("id service reason reasonCode")],
        **_said("deleted"),
        "sharing": {"modes": ["a mode"]},
        "etag": 1,
        "hierarchyPath": [{"assetId": "an id", "name": "a name"}],
    }


def _said(names: str) -> dict[str, object]:
    return {name: f"a {name}" for name in names.split()}


def write(lake: Path) -> None:
    """Write the files below the folder that holds a folder for each bucket."""
    own, test = lake / "sample-data", lake / "cerebrodata-test"
    data = lake / "local-files" / "opt" / "okera" / "data"
    _text(data / "sample" / "sample.txt", SAMPLE)
    _text(test / "fs_test_do_not_add_files_here" / "sample" / "sample.txt", SAMPLE)
    _text(data / "users" / "users.csv", "".join(map(_user, range(2000))))
    for place in (test / "alltypes", own / "alltypes", own / "alltypes_csv", own / "all_types"):
        _text(place / "alltypes.txt", ALLTYPES)
    for name in ("empty", "empty-path-test", "user_home_test", "user_grant_test"):
        (test / name).mkdir(parents=True)
    _text(test / "mindsphere" / "assets" / "example.json", json.dumps(_asset()) + "\n")
    for n in range(1, 5):
        _text(test / "user_dir_test" / f"user{n}" / "empty", "")
    ccns = [4539797705756008 + n * 1117 for n in range(5)]
    _text(test / "ccn" / "ccn.csv", "".join(f"user{n + 1},{c}\n" for n, c in enumerate(ccns)))
    numbers = "9012248907891233.020304050670 2343.9999 900 32.44 54.23 4525.34".split()
    _text(own / "large_decimals2" / "n.csv", "num\n" + "".join(f"{n}\n" for n in numbers))
    nations = "".join(
        f"{n}|{name.replace('_', ' ')}|{_REGIONS[n]}|nation number {n}\n"
        for n, name in enumerate(_NATIONS)
    )
    for place in (own / "nation", own / "s3_nation"):
        _text(place / "nation.csv", nations)
    _text(
        own / "date_csv" / "d.csv", "name,id,dob\nRobert,100,1980-01-01\nMichelle,200,1991-12-31\n"
    )
    for year, month in ((2009, 1), (2009, 2), (2010, 1), (2010, 2)):
        _text(own / "ymdata" / f"year={year}" / f"month={month}" / "d.csv", "name\nx\n")
    _text(test / "partition-ymdata/year=2016/month=1/d.txt", "2016-1|a\n")
    _text(test / "partition-ymdata/year=2017/month=3/d.txt", "2017-3|b\n")
    _text(own / "accounts" / "a.txt", "".join(_accounts()))
    _text(
        own / "user_attribute" / "u.csv",
        "hello|hello\ntestuser|testuser\nabac_test_user|abac_test_user\n",
    )
    transactions = (
        "txnid,dt_time,sku,userid,price,creditcard,ip\n1,2016-01-01,a,u1,3.5,4539,10.0.0.1\n"
    )
    for place in (lake / "cerebro-datasets" / "transactions", own / "transactions"):
        _text(place / "t.csv", transactions)
    _text(test / "decimal-test" / "d.csv", "a,b\n1.5,2.25\n")
    _text(test / "decimal-test1" / "d.csv", "a,b\n1.5,2.25\n")
    _text(test / "fs_test" / "file1", "one\n")
    _text(test / "fs_test" / "file2", "two\n")
    _text(test / "zd-1627" / "z.csv", '"a\nb"\n')
    _text(test / "customers/c1/zd1633_2/z.csv", 'c1,c2\n1,"abc\n2,"123\n')
    columnar.write(lake)


_ACCOUNT_ROWS = """\
185.247.200.252 d646:af6:16d9:5a46:72c0:9a90:d78f:24e7 5516 zxcvbn.qwer@asdf.gh
185.181.192.251 e2c8:4a45:6dd9:2fd5:6c42:b81f:12ec:394e 5825 abc.defghijkl.mnopq@rstuvwxyzabcd.efg
244.23.83.241 a678:6bb0:7cb2:1f75:bc1d:e41f:b469:ce0c 1111 ac.one@mail.org
216.154.135.203 ad13:4b2f:7557:b429:383d:1660:2368:d81b 2222 ac.two@mail.org
20.30.40.50 1:2:3:4:5:6:7:8 3333 zz@mail.org
"""


def _accounts() -> list[str]:
    known = (line.split() for line in _ACCOUNT_ROWS.splitlines())
    return [
        f"name{n}|555-000{n}|{mail}|u{n}|2016-01-0{n + 1}|453979770575000{card}|here|{v4}|{v6}\n"
        for n, (v4, v6, card, mail) in enumerate(known)
    ]


def _text(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def _user(number: int) -> str:
    month = ("January", "March", "July", "October")[number % 4]
    born = f"{number % 28 + 1:02}-{month}-{60 + number % 40}"
    ccn = f"{4_539_000_000_000_000 + number * 7919:016}"
    return f"{number:08X},{born},{'MF'[number % 2]},{ccn}\n"


_LINES = f"(record string) {_TEXT} '|'"
_CCN = f"(user string, ccn string) {_TEXT} ','"
_ATTRIBUTED = f"(name string, attr string) {_TEXT} '|'"
_HEADER = "TBLPROPERTIES('skip.header.line.count'='1')"


def _over(name: str, columns: str, where: str, more: str = "") -> str:
    return f"CREATE EXTERNAL TABLE {name} {columns} LOCATION 's3://{where}' {more}"


def _databases() -> list[str]:
    tpc = [f"tpc{kind}{n}" for kind in "hd" for n in range(1, 7)]
    names = (
        "default okera_sample okera_system cerebro_sample rs tpch partdb datedb nytaxi customer"
        " demo_test abac_db rs_complex rs_complex_parquet fastparquet authdb all_table_types"
        " marketing_database"
    ).split()
    return [f"CREATE DATABASE {name}" for name in [*names, *tpc]]


def _system() -> list[str]:
    tables = {
        "okera_sample.whoami": "user string",
        "okera_system.audit_logs": "`user` string, v1 boolean, v2 boolean, v3 boolean, v4 boolean",
        "okera_system.configs": "`key` string, value string",
        "okera_system.attributes": "id bigint, namespace string, name string",
        "okera_system.tagging_rules": "id bigint, name string, namespace string, tag string,"
        " expression string, description string, match_column_name boolean,"
        " match_column_comment boolean",
        "okera_system.group_names": "group_name string",
        "okera_system.role_names": "role_name string",
        "okera_system.groups_by_user": "user_name string, group_name string",
        "okera_system.catalog_identity_mappings": "identity_object_name string,"
        " catalog_object_name string",
    }
    views = ["CREATE VIEW okera_system.steward_audit_logs AS SELECT * FROM okera_system.audit_logs"]
    return [f"CREATE TABLE {name} ({columns})" for name, columns in tables.items()] + views


def _tables() -> list[str]:
    nested = [
        f"CREATE EXTERNAL TABLE {database}.{name} LOCATION 's3://sample-data/{database}/{name}'"
        for database in ("rs_complex", "authdb")
        for name in columnar.NESTED
    ]
    nested += [
        f"CREATE EXTERNAL TABLE rs_complex.{name} LOCATION 's3://sample-data/rs_complex/{name}'"
        for name in columnar.MORE
    ]
    return [
        _over("okera_sample.users", _USERS, "local-files/opt/okera/data/users"),
        _over("cerebro_sample.users", _USERS, "local-files--1/opt/okera/data/users"),
        _over("okera_sample.sample", _LINES, "local-files/opt/okera/data/sample", _NO_HEADER),
        _over("rs.alltypes", _ALLTYPES_COLUMNS, "sample-data/alltypes"),
        _over("rs.alltypes_s3", _ALLTYPES_COLUMNS, "cerebrodata-test/alltypes"),
        _over("rs.alltypes_s3_opencsv", _ALLTYPES_COLUMNS, "sample-data/alltypes_csv"),
        _over("rs.alltypes_null", "", "sample-data/alltypes_null"),
        f"CREATE TABLE rs.alltypes_empty {_ALLTYPES_COLUMNS}",
        _over("rs.ccn", _CCN, "cerebrodata-test/ccn", _NO_HEADER),
        _over("rs.large_decimals2", "(num decimal(38, 12))", "sample-data/large_decimals2",
              "TBLPROPERTIES('skip.header.line.count'='1')"),
        _over("rs.s3_nation", _NATION, "sample-data/s3_nation", _NO_HEADER),
        _over("rs.sparsedata", "", "sample-data/sparsedata"),
        _over("rs.encoding", "", "sample-data/encoding"),
        _over("tpch.nation", _NATION, "sample-data/nation", _NO_HEADER),
        _over("partdb.ymdata", "PARTITIONED BY (year int, month int)", "sample-data/ymdata"),
        _over("datedb.date_csv", "(name string, id int, dob date)", "sample-data/date_csv"),
        _over("demo_test.transactions", "", "cerebro-datasets/transactions"),
        _over("demo_test.txns", "", "cerebro-datasets--1/transactions"),
        _over("demo_test.decimals", "", "cerebrodata-test/decimal-test"),
        _over("demo_test.decimals2", "", "cerebrodata-test--1/decimal-test"),
        _over("demo_test.decimals1", "", "cerebrodata-test/decimal-test1"),
        _over("customer.web_rawhits", "", "sample-data/web_rawhits"),
        _over("abac_db.user_account_data", _ACCOUNTS, "sample-data/accounts", _NO_HEADER),
        _over("abac_db.all_types", _ALLTYPES_COLUMNS, "sample-data/all_types"),
        _over("abac_db.user_attribute_test", _ATTRIBUTED,
              "sample-data/user_attribute", _NO_HEADER),
        _over("rs_complex_parquet.map_struct_array_t", "", "sample-data/map_struct_array"),
        "CREATE TABLE customer.acxiom_cnsmr_xref (id string, xref string)",
        _over("fastparquet.map_array_parq", "", "sample-data/map_array"),
        _over("rs_complex_parquet.bytes_type", "", "sample-data/bytes"),
        *(f"CREATE TABLE marketing_database.t{n} (a int)" for n in range(3)),
        "CREATE TABLE nytaxi.parquet_data (a int)",
        *nested,
    ]  # fmt: skip


_MASKED = "repeat('X', length(ccn) - 4) || right(ccn, 4)"
_VIEWS = {
    "okera_sample.users_ccn_masked": f"SELECT uid, dob, gender, {_MASKED} AS ccn"
    " FROM okera_sample.users",
    "rs.alltypes_s3_view": "SELECT * FROM rs.alltypes_s3",
    "rs.ccn_masked": f'SELECT "user", {_MASKED} AS ccn FROM rs.ccn',
    "rs.nation_projection": "SELECT n_nationkey, n_name FROM tpch.nation WHERE n_nationkey < 5",
    "tpch.nation_join": "SELECT a.*, b.n_nationkey AS n_nationkey2 FROM tpch.nation a"
    " JOIN tpch.nation b ON a.n_nationkey = b.n_nationkey",
    "customer.web_rawhits_standard_view": "SELECT * FROM customer.web_rawhits",
    "abac_db.user_account_data_view": "SELECT * FROM abac_db.user_account_data",
    "abac_db.all_types_view": "SELECT * FROM abac_db.all_types",
    "rs_complex.struct_t_view": "SELECT * FROM rs_complex.struct_t",
    "rs_complex.strarray_t_view": "SELECT * FROM rs_complex.strarray_t",
    "rs_complex.struct_view": "SELECT s1 FROM rs_complex.struct_t",
    "rs_complex.struct_t_view2": "SELECT * FROM rs_complex.struct_t2",
    "rs_complex.struct_t_restricted_view": "SELECT id FROM rs_complex.struct_t",
    "rs_complex.struct_nested_view": "SELECT * FROM rs_complex.struct_nested",
    "authdb.struct_t_where_clause_view": "SELECT id, s1 FROM authdb.struct_t WHERE s1.f2 > 1",
}


def _tags() -> list[str]:
    names = (
        "pii.ip_address",
        "pii.credit_card",
        "pii.email_address",
        "abac.int_col",
        "abac.string_col",
    )
    on = {
        "abac_db.user_account_data": {
            "ipv4_address": "pii.ip_address",
            "ipv6_address": "pii.ip_address",
            "creditcardnumber": "pii.credit_card",
            "email": "pii.email_address",
        },
        "abac_db.all_types": dict.fromkeys(
            ("tinyint_col", "smallint_col", "int_col", "bigint_col"), "abac.int_col"
        )
        | dict.fromkeys(("string_col", "varchar_col", "char_col"), "abac.string_col"),
    }
    return [f"CREATE ATTRIBUTE IF NOT EXISTS {name}" for name in names] + [
        f"ALTER TABLE {table} ADD COLUMN ATTRIBUTE {column} {tag}"
        for table, columns in on.items()
        for column, tag in columns.items()
    ]


_GRANTS = (
    "GRANT SELECT(int_col, string_col) ON TABLE rs.alltypes TO ROLE testuser_role",
    "GRANT SELECT(int_col, float_col, string_col) ON TABLE rs.alltypes_s3 TO ROLE testuser_role",
    "GRANT SELECT ON TABLE okera_system.configs TO ROLE okera_public_role",
    "GRANT SELECT ON TABLE rs.ccn_masked TO ROLE testuser_role",
    "GRANT SELECT ON TABLE demo_test.transactions TO ROLE testuser_role",
    "GRANT SELECT ON TABLE abac_db.all_types_view TO ROLE testuser_role",
    (
        "GRANT SELECT ON URI 's3://cerebrodata-test/fs_test_do_not_add_files_here/sample'"
        " TO ROLE testuser_role"
    ),
    (
        "GRANT SHOW ON URI 's3://cerebrodata-test/fs_test_do_not_add_files_here/sample'"
        " TO ROLE testuser_role"
    ),
    "GRANT SHOW ON DATABASE marketing_database TO ROLE marketing_role",
    "GRANT CREATE_AS_OWNER ON DATABASE marketing_database TO ROLE marketing_role",
)

STATEMENTS: tuple[str, ...] = (
    "GRANT ALL ON CATALOG TO ROLE admin_role WITH GRANT OPTION",
    "GRANT ROLE admin_role TO GROUP okera",
    "GRANT ROLE admin_role TO GROUP root",
    "CREATE ROLE testuser_role WITH GROUPS testuser",
    "CREATE ROLE marketing_role WITH GROUPS mktg_analyst",
    "CREATE ROLE okera_workspace_role",
    *_databases(),
    "GRANT SELECT ON DATABASE okera_sample TO ROLE okera_public_role",
    *_tables(),
    *_system(),
    *_tags(),
    *(f"CREATE VIEW {name} AS {text}" for name, text in _VIEWS.items()),
    *_GRANTS,
)
