"""Starts a Java inside of this process, takes a batch from it through the C data interface, and writes it to a file.

cdata.py JAVA_HOME CLASS_PATH FILE
"""

import gc
import glob
import os
import sys

import jpype
import pyarrow as pa
from pyarrow.cffi import ffi

home, class_path, file = sys.argv[1:]
jpype.startJVM(
    glob.glob(os.path.join(home, "lib", "server", "libjvm.*"))[0],
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    classpath=class_path.split(os.pathsep),
)
java = jpype.JClass("io.sluice.arrow.CDataTest")
array = ffi.new("struct ArrowArray*")
schema = ffi.new("struct ArrowSchema*")
addresses = [int(ffi.cast("uintptr_t", pointer)) for pointer in (array, schema)]
java.export(*addresses)
assert java.held() > 0
batch = pa.RecordBatch._import_from_c(*addresses)
batch.validate(full=True)
with pa.ipc.new_file(file, batch.schema) as out:
    out.write_batch(batch)
del batch, out  # the writer holds the dictionaries
gc.collect()
assert java.held() == 0, java.held()
