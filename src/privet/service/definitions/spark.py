"""Tables as Spark writes them down for Hive: of another format and other columns than they say.

Hive knows nothing of Delta Lake: there Spark declares text with one column, and says in properties
what the table is. Where a property asks for it, these count.
"""

from __future__ import annotations

from dataclasses import replace

from privet.policy import definitions as d

PROVIDER = "spark.sql.sources.provider"
INFER = ("okera.delta.infer-schema", "okera.spark-table.infer-schema")
_FORMATS = {"csv": "TEXTFILE", "text": "TEXTFILE"}
_KNOWN = frozenset({"DELTA", "PARQUET", "ORC", "AVRO", "JSON", "ICEBERG", "TEXTFILE"})
_WITH_FOLDERS_OF_ITS_OWN = frozenset({"DELTA", "ICEBERG"})


def as_spark_means(wanted: d.CreateTable) -> d.CreateTable:
    """The same table, of the format that its properties name, with the columns of its files."""
    provider = wanted.properties.get(PROVIDER, "").lower()
    inferring = any(wanted.properties.get(name, "").lower() == "true" for name in INFER)
    form = _FORMATS.get(provider, provider.upper())
    if not inferring or form not in _KNOWN:
        return wanted
    partitions = () if form in _WITH_FOLDERS_OF_ITS_OWN else wanted.partitions
    delimiter = wanted.delimiter if form == "TEXTFILE" else ""
    return replace(
        wanted, columns=(), partitions=partitions, format=form, delimiter=delimiter, quote=None
    )
