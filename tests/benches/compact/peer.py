"""The compaction as one would write it in DuckDB: a folder's files, sorted by some columns, as one file beside it."""

import os
import sys

import duckdb

folder, order, threads = sys.argv[1:]
out = os.path.join(os.path.dirname(folder), "peer.parquet")
duckdb.sql(f"SET threads = {int(threads)}")
duckdb.sql(
    f"COPY (SELECT * FROM read_parquet('{folder}/*.parquet') ORDER BY {order}) "
    f"TO '{out}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
)
os.remove(out)
