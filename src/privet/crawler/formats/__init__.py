"""How files of other formats than CSV and Parquet are looked at."""

from privet.crawler.formats.json_files import look_at_json, looks_like_json, rows_of, settle_json

__all__ = ["look_at_json", "looks_like_json", "rows_of", "settle_json"]
