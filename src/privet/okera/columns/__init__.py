"""Arrow columns in the forms of this protocol: dense (ColumnarNumPy) and sparse (Columnar)."""

from privet.okera.columns.dense import dense
from privet.okera.columns.shapes import has_nested, in_wire_types, schema_of
from privet.okera.columns.sparse import sparse

__all__ = ["dense", "has_nested", "in_wire_types", "schema_of", "sparse"]
