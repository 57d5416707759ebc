package io.sluice.benchmarks.peers;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import org.apache.arrow.dataset.file.FileFormat;
import org.apache.arrow.dataset.file.FileSystemDatasetFactory;
import org.apache.arrow.dataset.jni.NativeMemoryPool;
import org.apache.arrow.dataset.scanner.ScanOptions;
import org.apache.arrow.dataset.scanner.Scanner;
import org.apache.arrow.dataset.source.Dataset;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.duckdb.DuckDBResultSet;

/** Engines in C++ that Java reaches through JNI, reading a file of JSON lines into Arrow batches. Prints what {@code ArrowTables} reads. */
public final class NativePeers {

    private static final int BATCH_ROWS = 65_536;

    private NativePeers() {}

    /** Arguments: peer, file, threads, warm-up passes, measured passes. */
    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[1]).toAbsolutePath();
        int warmUp = Integer.parseInt(args[3]);
        int measured = Integer.parseInt(args[4]);
        StringBuilder result = new StringBuilder("RESULT");
        for (int i = 0; i < warmUp + measured; i++) {
            long start = System.nanoTime();
            long rows = args[0].equals("duckdb-jdbc") ? duckdb(file, args[2]) : dataset(file);
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

    private static long dataset(Path file) throws Exception {
        try (BufferAllocator allocator = new RootAllocator();
                FileSystemDatasetFactory factory = new FileSystemDatasetFactory(
                        allocator, NativeMemoryPool.getDefault(), FileFormat.JSON, file.toUri().toString());
                Dataset dataset = factory.finish();
                Scanner scanner = dataset.newScan(new ScanOptions(BATCH_ROWS));
                ArrowReader reader = scanner.scanBatches()) {
            return rows(reader);
        }
    }

    private static long duckdb(Path file, String threads) throws Exception {
        try (BufferAllocator allocator = new RootAllocator();
                Connection connection = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = connection.createStatement()) {
            statement.execute("set threads=" + threads);
            try (DuckDBResultSet result = (DuckDBResultSet) statement.executeQuery(
                            "select * from read_json('" + file + "', format='newline_delimited')");
                    ArrowReader reader = (ArrowReader) result.arrowExportStream(allocator, BATCH_ROWS)) {
                return rows(reader);
            }
        }
    }

    private static long rows(ArrowReader reader) throws Exception {
        long rows = 0;
        while (reader.loadNextBatch()) {
            rows += reader.getVectorSchemaRoot().getRowCount();
        }
        return rows;
    }
}
