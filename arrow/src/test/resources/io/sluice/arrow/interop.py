"""Reads what Sluice has written and writes it again: interop.py PROGRAM IN OUT [OPTION]."""
import sys

program, source, target = sys.argv[1:4]
option = sys.argv[4] if len(sys.argv) > 4 else None


def open_table(path):
    import pyarrow as pa

    with open(path, "rb") as f:
        is_file = f.read(6) == b"ARROW1"
    with pa.OSFile(path) as f:
        reader = pa.ipc.open_file(f) if is_file else pa.ipc.open_stream(f)
        return reader.read_all()


def save(table, path):
    import pyarrow as pa

    options = pa.ipc.IpcWriteOptions(
        compression=None if option in (None, "none") else option,
        emit_dictionary_deltas=True,
    )
    new = pa.ipc.new_file if path.endswith(".arrow") else pa.ipc.new_stream
    with pa.OSFile(path, "wb") as f, new(f, table.schema, options=options) as writer:
        writer.write_table(table)


if program == "pyarrow":
    table = open_table(source)
    table.validate(full=True)
    save(table, target)
elif program == "pyarrow-mapped":
    import pyarrow as pa

    with pa.memory_map(source) as f:
        reader = pa.ipc.open_file(f)
        batches = [reader.get_batch(i) for i in reversed(range(reader.num_record_batches))]
        for batch in batches:
            batch.validate(full=True)
        save(pa.Table.from_batches(batches[::-1]), target)
elif program == "polars":
    import polars as pl

    frame = pl.read_ipc(source) if source.endswith(".arrow") else pl.read_ipc_stream(source)
    if target.endswith(".arrow"):
        frame.write_ipc(target, compression="uncompressed" if option in (None, "none") else option)
    else:
        frame.write_ipc_stream(target, compression="uncompressed" if option in (None, "none") else option)
elif program == "duckdb":
    import duckdb

    written = open_table(source)
    result = duckdb.sql("SELECT * FROM written")
    result = result.arrow()
    save(result.read_all() if hasattr(result, "read_all") else result, target)
elif program == "make":
    import pyarrow as pa

    n = 1000
    table = pa.table(
        {
            "n": pa.array(range(n), pa.int64()),
            "words": pa.array([None if i % 7 == 0 else f"w{i % 13}" for i in range(n)]).dictionary_encode(),
            "nested": pa.array([{"a": [i] * (i % 4), "b": str(i)} for i in range(n)]),
            "view": pa.array([f"a string that is not inlined {i}" for i in range(n)], pa.string_view()),
        }
    )
    save(table, target)
else:
    raise SystemExit(f"no program {program}")
