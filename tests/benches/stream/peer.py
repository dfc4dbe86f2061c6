"""A folder of event files -> the milliseconds an event takes in handlers as people write them in Python.

Each takes the event's bytes and gives the answer's: the runtime's json.loads and json.dumps count. One thread.
Of Kinesis events they make a Parquet file too; a bad record is left out of it. Of Firehose events they make lines with
masked addresses and partition keys; a bad record has failed.
"""

import base64
import binascii
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


def masked(address):
    user, _, domain = address.partition("@")
    return user[:1] + "***@" + domain


def transformed(record):
    value = good({"kinesis": record})
    if value is None or len(value["ts"]) < 20:
        return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}
    if value.get("email"):
        value["email"] = masked(value["email"])
    line = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    time = value["ts"]
    keys = {"year": time[:4], "month": time[5:7], "day": time[8:10], "hour": time[11:13]}
    data = binascii.b2a_base64(line, newline=False).decode("ascii")
    return {"recordId": record["recordId"], "result": "Ok", "data": data, "metadata": {"partitionKeys": keys}}


def with_json(records):
    return {"records": [transformed(record) for record in records]}


def measured(handler, events, records):
    handler(json.loads(events[0])[records])
    started = time.process_time()
    for event in events:
        answer = handler(json.loads(event)[records])
        json.dumps(answer if isinstance(answer, dict) else {"batchItemFailures": []})
    return (time.process_time() - started) * 1000 / len(events)


HANDLERS = {
    "kinesis": ("Records", {"orjson + pyarrow": with_orjson, "pyarrow.json": with_pyarrow, "polars": with_polars}),
    "firehose": ("records", {"orjson": with_json}),
}
records, handlers = HANDLERS[sys.argv[1]]
events = [file.read_bytes() for file in sorted(pathlib.Path(sys.argv[2]).glob("*.json"))]
print(json.dumps({name: measured(handler, events, records) for name, handler in handlers.items()}))
