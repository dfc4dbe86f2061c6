"""A Parquet file on standard input: its types and values, as pyarrow and as DuckDB see them."""

import io
import sys
import tempfile
from datetime import date, datetime, time, timezone
from decimal import Decimal

import duckdb
import pyarrow.parquet as parquet

# column: type in pyarrow, type in DuckDB, the least value, the most
EXPECTED = {
    "string": ("string", "VARCHAR", "", '\0 "é" 漢字 🎈'),
    "int32": ("int32", "INTEGER", -(2**31), 2**31 - 1),
    "int64": ("int64", "BIGINT", -(2**63), 2**63 - 1),
    "uint64": ("uint64", "UBIGINT", 0, 2**64 - 1),
    "float32": ("float", "FLOAT", -3.4028234663852886e38, 1.401298464324817e-45),
    "float64": ("double", "DOUBLE", -5e-324, sys.float_info.max),
    "money": ("decimal128(9, 2)", "DECIMAL(9,2)", Decimal("-9999999.99"), Decimal("9999999.99")),
    "decimal": (
        "decimal128(38, 10)",
        "DECIMAL(38,10)",
        Decimal("-9999999999999999999999999999.9999999999"),
        Decimal("9999999999999999999999999999.9999999999"),
    ),
    "boolean": ("bool", "BOOLEAN", False, True),
    "date": ("date32[day]", "DATE", date.min, date.max),
    "ms": (
        "timestamp[ms, tz=UTC]",
        "TIMESTAMP WITH TIME ZONE",
        datetime(1900, 2, 28, 23, 59, 59, 999000, timezone.utc),
        datetime(9999, 12, 31, 23, 59, 59, 999000, timezone.utc),
    ),
    "us": (
        "timestamp[us, tz=UTC]",
        "TIMESTAMP WITH TIME ZONE",
        datetime(1, 1, 1, 0, 0, 0, 1, timezone.utc),
        datetime(9999, 12, 31, 23, 59, 59, 999999, timezone.utc),
    ),
    "time": ("time64[us]", "TIME", time.min, time.max),
    "binary": ("binary", "BLOB", b"", b"\x00\xff\x80"),
    "json": ("string", "VARCHAR", "[]", '{"漢":[1,null]}'),
    "list": ("list<element: string>", "VARCHAR[]", [], ["a", None, "漢"]),
    "struct": (
        "struct<a: int32, b: list<element: decimal128(5, 2)>, c: struct<d: timestamp[ms, tz=UTC]>>",
        "STRUCT(a INTEGER, b DECIMAL(5,2)[], c STRUCT(d TIMESTAMP WITH TIME ZONE))",
        {
            "a": -(2**31),
            "b": [Decimal("-999.99")],
            "c": {"d": datetime(1969, 12, 31, 23, 59, 59, 999000, timezone.utc)},
        },
        {"a": None, "b": [None, Decimal("0.01")], "c": None},
    ),
    "_extra": ("string", "VARCHAR", None, None),
}


def check(reader, types, rows):
    """`reader` is 0 for pyarrow, 1 for DuckDB."""
    wrong = []
    for name, expected in EXPECTED.items():
        found = (types.get(name), [row.get(name, "is not there") for row in rows])
        if found != (expected[reader], [*expected[2:], None]):
            wrong.append(f"{['pyarrow', 'DuckDB'][reader]}: {name}: {found}")
    if list(types) != list(EXPECTED):
        wrong.append(f"the columns are {list(types)}")
    return wrong


body = sys.stdin.buffer.read()
table = parquet.read_table(io.BytesIO(body))
wrong = check(0, {field.name: str(field.type) for field in table.schema}, table.to_pylist())
with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
    file.write(body)
    file.flush()
    seen = duckdb.read_parquet(file.name)
    types = dict(zip(seen.columns, map(str, seen.types)))
    wrong += check(1, types, seen.to_arrow_table().to_pylist())
sys.exit("\n".join(wrong) or 0)
