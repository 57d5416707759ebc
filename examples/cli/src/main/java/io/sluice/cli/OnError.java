package io.sluice.cli;

import io.sluice.Dataset;
import io.sluice.ErrorPolicy;
import io.sluice.Rejected;
import io.sluice.SluiceException;
import io.sluice.format.Jsonl;
import io.sluice.storage.ObjectMeta;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The option {@code --on-error fail|skip|FILE}, for one run. */
final class OnError implements AutoCloseable {

    private final ErrorPolicy policy;
    private final @Nullable Path file;
    private final @Nullable OutputStream out;
    private long cut;

    private OnError(ErrorPolicy policy) {
        this.policy = policy;
        this.file = null;
        this.out = null;
    }

    private OnError(Path file) throws IOException {
        this.file = file;
        this.out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
        this.policy = ErrorPolicy.deadLetter(this::keep);
    }

    /**
     * @param value the option's value
     * @param source what is read, which FILE must not replace
     */
    static OnError of(String value, String source) {
        switch (value) {
            case "fail":
                return new OnError(ErrorPolicy.fail());
            case "skip":
                return new OnError(ErrorPolicy.skip());
            default:
                Path file = Path.of(value);
                try {
                    if (Files.isDirectory(file)) {
                        throw new UsageException(
                                "--on-error takes fail, skip or a file, and " + value + " is a directory");
                    }
                    if (isRead(file, source)) {
                        throw new UsageException("--on-error would overwrite what is read: " + value);
                    }
                    return new OnError(file);
                } catch (IOException e) {
                    throw new UncheckedIOException("cannot write rejected records to " + value, e);
                }
        }
    }

    /** Whether it is one of the files that are read: the source, or a shard of it. */
    private static boolean isRead(Path file, String source) throws IOException {
        if (source.equals("-") || source.contains("://") || !Files.exists(file)) {
            return false;
        }
        Dataset<ByteBuffer> dataset = Dataset.at(source, Jsonl.bytes());
        List<ObjectMeta> shards;
        try {
            shards = Objects.requireNonNull(dataset.shards().collectList().block());
        } catch (SluiceException e) {
            return false; // who reads it will say what is wrong with it
        }
        for (ObjectMeta shard : shards) {
            Path read = Path.of(dataset.store().displayName(shard.key()));
            if (Files.exists(read) && Files.isSameFile(file, read)) {
                return true;
            }
        }
        return false;
    }

    ErrorPolicy policy() {
        return policy;
    }

    /** What to tell of the rejected records, or null. */
    @Nullable
    String note(long rejected) {
        if (rejected == 0 || policy.limit() == 0) {
            return null;
        }
        String records = rejected == 1 ? "1 bad record" : rejected + " bad records";
        if (file == null) {
            return records + " skipped";
        }
        return records + " written to " + file
                + (cut == 0 ? "" : ", " + cut + " of them cut short because they were too long to hold");
    }

    private void keep(Rejected rejected) {
        if (out == null) {
            return;
        }
        try {
            out.write(rejected.raw());
            out.write('\n');
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write rejected records to " + file, e);
        }
        if (rejected.raw().length + 2L < rejected.length()) {
            cut++;
        }
    }

    @Override
    public void close() {
        if (out != null) {
            try {
                out.close();
            } catch (IOException e) {
                throw new UncheckedIOException("cannot write rejected records to " + file, e);
            }
        }
    }
}
