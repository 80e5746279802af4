"""The files, and the statements over them."""

from __future__ import annotations

from pathlib import Path

ALLTYPES = (
    "true|0|1|2|3|4.0|5.0|hello|vchar1|char1|2015-01-01|3.141592\n"
    "false|6|7|8|9|10.0|11.0|world|vchar2|char2|2016-01-01|1234.56789\n"
)
SAMPLE = "This is a sample test file.\nIt should consist of two lines.\n"
_ALLTYPES_COLUMNS = (
    "(bool_col boolean, tinyint_col tinyint, smallint_col smallint, int_col int, bigint_col bigint,"
    " float_col float, double_col double, string_col string, varchar_col varchar(10),"
    " char_col char(5), timestamp_col timestamp, decimal_col decimal(24, 10))"
    " ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' STORED AS TEXTFILE"
)
_USERS = (
    "(uid string COMMENT 'Unique user id', dob string COMMENT 'Formatted as DD-month-YY',"
    " gender string, ccn string"
    " COMMENT 'Sensitive data, should not be accessible without masking.')"
    " ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' STORED AS TEXTFILE"
)


def write(lake: Path) -> None:
    """Write the files below the folder that holds a folder for each bucket."""
    own, test = lake / "sample-data", lake / "cerebrodata-test"
    _text(own / "sample" / "sample.txt", SAMPLE)
    _text(test / "fs_test_do_not_add_files_here" / "sample" / "sample.txt", SAMPLE)
    _text(own / "users" / "users.csv", "".join(map(_user, range(2000))))
    _text(test / "alltypes" / "alltypes.txt", ALLTYPES)
    _text(own / "alltypes" / "alltypes.txt", ALLTYPES)
    for name in ("empty", "empty-path-test", "user_home_test", "user_grant_test"):
        (test / name).mkdir(parents=True)
    for n in range(1, 5):
        _text(test / "user_dir_test" / f"user{n}" / "empty", "")


def _text(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def _user(number: int) -> str:
    month = ("January", "March", "July", "October")[number % 4]
    born = f"{number % 28 + 1:02}-{month}-{60 + number % 40}"
    ccn = f"{4_539_000_000_000_000 + number * 7919:016}"
    return f"{number:08X},{born},{'MF'[number % 2]},{ccn}\n"


STATEMENTS: tuple[str, ...] = (
    "GRANT ALL ON CATALOG TO ROLE admin_role WITH GRANT OPTION",
    "GRANT ROLE admin_role TO GROUP okera",
    "GRANT ROLE admin_role TO GROUP root",
    "CREATE DATABASE okera_sample",
    "CREATE DATABASE okera_system",
    f"CREATE EXTERNAL TABLE okera_sample.users {_USERS} LOCATION 's3://sample-data/users'",
    "CREATE EXTERNAL TABLE okera_sample.sample (record string) ROW FORMAT DELIMITED"
    " FIELDS TERMINATED BY '|' STORED AS TEXTFILE LOCATION 's3://sample-data/sample'"
    " TBLPROPERTIES('skip.header.line.count'='0')",
    "CREATE TABLE okera_sample.whoami (user string)",
    "GRANT SELECT ON DATABASE okera_sample TO ROLE okera_public_role",
    "CREATE DATABASE rs",
    f"CREATE EXTERNAL TABLE rs.alltypes {_ALLTYPES_COLUMNS} LOCATION 's3://sample-data/alltypes'",
    (
        f"CREATE EXTERNAL TABLE rs.alltypes_s3 {_ALLTYPES_COLUMNS}"
        " LOCATION 's3://cerebrodata-test/alltypes'"
    ),
)
