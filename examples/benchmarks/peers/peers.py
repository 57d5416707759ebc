"""Engines with a Python API, reading a file into Arrow. Arguments: peer, file, threads, warm-up passes, measured passes."""

import sys
import time


def pyarrow(path, threads):
    import pyarrow
    from pyarrow import json

    pyarrow.set_cpu_count(threads)
    return json.read_json(path, json.ReadOptions(use_threads=threads > 1)).num_rows


def polars(path, threads):
    import polars

    read = polars.read_avro if path.endswith(".avro") else polars.read_ndjson
    return read(path).to_arrow().num_rows


def duckdb(path, threads):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"set threads={threads}")
    reader = connection.execute(
        f"select * from read_json('{path}', format='newline_delimited')"
    ).to_arrow_reader(65536)
    return sum(batch.num_rows for batch in reader)


def jetliner(path, threads):
    import jetliner

    return sum(batch.height for batch in jetliner.AvroReader(path))


def fastavro(path, threads):
    import fastavro

    rows = 0
    with open(path, "rb") as file:
        for _ in fastavro.reader(file):
            rows += 1
    return rows


def main(peer, path, threads, warm_up, measured):
    result = []
    for i in range(int(warm_up) + int(measured)):
        start = time.perf_counter()
        rows = globals()[peer](path, int(threads))
        if i == 0:
            result.append(rows)
        if i >= int(warm_up):
            result.append(time.perf_counter() - start)
    print("RESULT", *result, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:6])
