"""A folder of Kinesis event files -> the milliseconds an event takes in handlers as people write them in Python.

Each takes the event's bytes and gives the answer's bytes and a Parquet file: the runtime's json.loads and json.dumps
count. One thread. A bad record is left out of the file, with its sequence number.
"""

import base64
import io
import json
import os
import pathlib
import sys
import time

os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import orjson
import polars
import pyarrow
import pyarrow.json
import pyarrow.parquet

pyarrow.set_cpu_count(1)
pyarrow.set_io_thread_count(1)
TEXT = pyarrow.string()
GEO = pyarrow.struct({"country": TEXT, "city": TEXT, "lat": pyarrow.float64(), "lon": pyarrow.float64()})
SCHEMA = pyarrow.schema({
    "event_id": TEXT, "user_id": pyarrow.int64(), "email": TEXT, "event_type": TEXT, "page": TEXT,
    "ts": pyarrow.timestamp("ms", "UTC"), "session": TEXT, "geo": GEO, "tags": pyarrow.list_(TEXT), "ua": TEXT,
    "duration_ms": pyarrow.int32(), "is_bot": pyarrow.bool_(), "value": pyarrow.float64(), "currency": TEXT,
    "referrer": TEXT,
})
AS_TEXT = pyarrow.schema([field.with_type(TEXT) if field.name == "ts" else field for field in SCHEMA])
REQUIRED = ("user_id", "event_type", "ts")
LARGEST = 2**31


def parquet(table):
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file, compression="zstd", compression_level=1)
    return file.getvalue()


def good(record):
    """The record as a dict, if it has all it needs."""
    try:
        value = orjson.loads(base64.b64decode(record["kinesis"]["data"]))
    except ValueError:
        return None
    fit = isinstance(value, dict) and all(value.get(name) is not None for name in REQUIRED)
    return value if fit and isinstance(value["user_id"], int) and abs(value.get("duration_ms") or 0) < LARGEST else None


def with_orjson(records):
    rows = [row for row in map(good, records) if row is not None]
    columns = [[row.get(field.name) for row in rows] for field in SCHEMA]
    arrays = [pyarrow.array(column, field.type) for column, field in zip(columns, AS_TEXT)]
    return parquet(pyarrow.Table.from_arrays(arrays, schema=AS_TEXT).cast(SCHEMA))


def lines(records):
    return b"\n".join(base64.b64decode(record["kinesis"]["data"]) for record in records)


def with_pyarrow(records):
    options = pyarrow.json.ParseOptions(explicit_schema=AS_TEXT, unexpected_field_behavior="ignore")
    read = pyarrow.json.ReadOptions(use_threads=False, block_size=16 << 20)

    def table(text):
        table = pyarrow.json.read_json(io.BytesIO(text), read, options)
        if any(table[name].null_count for name in REQUIRED):
            raise pyarrow.ArrowInvalid("a required field is missing")
        return table

    try:
        found = table(lines(records))
    except pyarrow.ArrowInvalid:
        found = table(lines([record for record in records if good(record) is not None]))
    return parquet(found.select(SCHEMA.names).cast(SCHEMA))


POLARS = {
    "event_id": polars.String, "user_id": polars.Int64, "email": polars.String, "event_type": polars.String,
    "page": polars.String, "ts": polars.String, "session": polars.String,
    "geo": polars.Struct({"country": polars.String, "city": polars.String, "lat": polars.Float64, "lon": polars.Float64}),
    "tags": polars.List(polars.String), "ua": polars.String, "duration_ms": polars.Int32, "is_bot": polars.Boolean,
    "value": polars.Float64, "currency": polars.String, "referrer": polars.String,
}


def with_polars(records):
    def frame(text):
        frame = polars.read_ndjson(io.BytesIO(text), schema=POLARS)
        if any(frame[name].null_count() for name in REQUIRED):
            raise polars.exceptions.ComputeError("a required field is missing")
        return frame

    try:
        found = frame(lines(records))
    except polars.exceptions.PolarsError:
        found = frame(lines([record for record in records if good(record) is not None]))
    found = found.with_columns(polars.col("ts").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms"))
    file = io.BytesIO()
    found.write_parquet(file, compression="zstd", compression_level=1)
    return file.getvalue()


def measured(handler, events):
    handler(json.loads(events[0])["Records"])
    started = time.process_time()
    for event in events:
        handler(json.loads(event)["Records"])
        json.dumps({"batchItemFailures": []})
    return (time.process_time() - started) * 1000 / len(events)


events = [file.read_bytes() for file in sorted(pathlib.Path(sys.argv[1]).glob("*.json"))]
handlers = {"orjson + pyarrow": with_orjson, "pyarrow.json": with_pyarrow, "polars": with_polars}
print(json.dumps({name: measured(handler, events) for name, handler in handlers.items()}))
