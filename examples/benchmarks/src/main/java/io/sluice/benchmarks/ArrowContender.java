package io.sluice.benchmarks;

import io.sluice.Dataset;
import io.sluice.DatasetListener;
import io.sluice.ReadSpec;
import io.sluice.ShardReport;
import io.sluice.arrow.Arrow;
import io.sluice.arrow.ArrowSpec;
import io.sluice.arrow.RecordBatch;
import io.sluice.avro.AvroSpec;
import io.sluice.format.Format;
import io.sluice.format.Jsonl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.avro.file.DataFileReader;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;

/** What is measured on Arrow: one pass over a file, every batch closed as it comes. The answer is the number of rows. */
enum ArrowContender {
    SLUICE {
        @Override
        long pass(Path file, int cores) {
            return batches(file, cores, ArrowSpec.create());
        }
    },
    SLUICE_ZST {
        @Override
        Path prepare(Path file) throws IOException, InterruptedException {
            return zst(file);
        }

        @Override
        long pass(Path file, int cores) {
            return batches(file, cores, ArrowSpec.create());
        }
    },
    /** What stands before parsing: decompressing and finding where the lines end. */
    DECOMPRESSION {
        @Override
        Path prepare(Path file) throws IOException, InterruptedException {
            return zst(file);
        }

        @Override
        long pass(Path file, int cores) {
            return Objects.requireNonNull(Dataset.at(file, Jsonl.counts())
                    .read(ReadSpec.create().parallelism(cores))
                    .reduce(0L, Long::sum)
                    .block());
        }
    },
    /** The schema that takes all records of the file. */
    SCHEMA {
        @Override
        long pass(Path file, int cores) {
            long[] records = new long[1];
            DatasetListener counting = new DatasetListener() {
                @Override
                public void shardCompleted(ShardReport report) {
                    records[0] += report.records();
                }
            };
            try (BufferAllocator allocator = Arrow.allocator(BATCH_MEMORY)) {
                ReadSpec spec = ReadSpec.create().parallelism(cores).listener(counting);
                Objects.requireNonNull(Arrow.schema(Dataset.at(file, Arrow.jsonl(allocator)), spec)
                        .block());
            }
            return records[0];
        }
    },
    SLUICE_AVRO {
        @Override
        long pass(Path file, int cores) {
            return avro(file, cores, ArrowSpec.create());
        }
    },
    SLUICE_AVRO_FIVE {
        @Override
        long pass(Path file, int cores) throws IOException {
            return avro(
                    file,
                    cores,
                    ArrowSpec.create().columns(AvroData.fiveFields(file).toArray(new String[0])));
        }
    },
    /** What stands before decoding: the blocks, read and decompressed by Apache Avro on one thread. */
    AVRO_BLOCKS {
        @Override
        long pass(Path file, int cores) throws IOException {
            long rows = 0;
            try (DataFileReader<GenericRecord> reader =
                    new DataFileReader<>(file.toFile(), new GenericDatumReader<GenericRecord>())) {
                for (; reader.hasNext(); rows += reader.getBlockCount()) {
                    reader.nextBlock();
                }
            }
            return rows;
        }
    },
    /** Apache Avro's generic reader, one record used over and over: no columns are built. */
    APACHE_AVRO {
        @Override
        long pass(Path file, int cores) throws IOException {
            long rows = 0;
            try (DataFileReader<GenericRecord> reader =
                    new DataFileReader<>(file.toFile(), new GenericDatumReader<GenericRecord>())) {
                for (GenericRecord record = null; reader.hasNext(); rows++) {
                    record = reader.next(record);
                }
            }
            return rows;
        }
    };

    /** Off-heap memory that batches may take, beside {@link ArrowTables#HEAP}. */
    static final long BATCH_MEMORY = 64L << 20;

    abstract long pass(Path file, int cores) throws Exception;

    /** What the passes read in place of {@code file}. */
    Path prepare(Path file) throws Exception {
        return file;
    }

    private static long batches(Path file, int cores, ArrowSpec spec) {
        try (BufferAllocator allocator = Arrow.allocator(BATCH_MEMORY)) {
            return rows(file, Arrow.jsonl(allocator, spec), cores);
        }
    }

    private static long avro(Path file, int cores, ArrowSpec spec) {
        try (BufferAllocator allocator = Arrow.allocator(BATCH_MEMORY)) {
            return rows(file, Arrow.avro(allocator, AvroSpec.create(), spec), cores);
        }
    }

    private static long rows(Path file, Format<RecordBatch> format, int cores) {
        long[] rows = new long[1];
        Dataset.at(file, format)
                .read(ReadSpec.create().parallelism(cores))
                .doOnNext(batch -> {
                    rows[0] += batch.rowCount();
                    batch.close();
                })
                .blockLast();
        return rows[0];
    }

    private static Path zst(Path file) throws IOException, InterruptedException {
        Path compressed = file.resolveSibling(file.getFileName() + ".zst");
        if (!Files.exists(compressed)) {
            Process process = new ProcessBuilder("zstd", "-3", "-q", file.toString(), "-o", compressed.toString())
                    .inheritIO()
                    .start();
            if (process.waitFor() != 0) {
                throw new IOException("zstd failed");
            }
        }
        return compressed;
    }

    /** Arguments: contender, file, cores, warm-up passes, measured passes. Prints what {@link ArrowTables} reads. */
    public static void main(String[] args) throws Exception {
        ArrowContender contender = valueOf(args[0]);
        Path original = Path.of(args[1]);
        Path file = contender.prepare(original);
        int cores = Integer.parseInt(args[2]);
        int warmUp = Integer.parseInt(args[3]);
        int measured = Integer.parseInt(args[4]);
        StringBuilder result = new StringBuilder("RESULT");
        for (int i = 0; i < warmUp + measured; i++) {
            long start = System.nanoTime();
            long rows = contender.pass(file, cores);
            double seconds = (System.nanoTime() - start) / 1e9;
            if (i == 0) {
                result.append(' ').append(rows);
            }
            if (i >= warmUp) {
                result.append(' ').append(seconds);
            }
        }
        System.out.println(result);
    }
}
