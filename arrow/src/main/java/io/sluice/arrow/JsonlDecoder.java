package io.sluice.arrow;

import io.sluice.RecordException.Kind;
import io.sluice.arrow.internal.ColumnChunk;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.DecodedBlock;
import io.sluice.internal.json.JsonFailure;
import io.sluice.internal.json.JsonOptions;
import io.sluice.internal.json.Lines;
import io.sluice.internal.json.MapParser;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Decodes blocks of JSONL into chunks. */
final class JsonlDecoder implements BlockDecoder<JsonlChunk> {

    private final JsonlArrowReader reader;
    private final Lines lines;
    private final MapParser maps;
    private JsonlArrowReader.Shape shape;
    private JsonColumns columns;
    private @Nullable JsonColumns filterColumns;
    private @Nullable CompiledFilter filter;

    JsonlDecoder(JsonlArrowReader reader) {
        this.reader = reader;
        this.lines = new Lines(reader.limits);
        this.shape = reader.shape();
        this.columns = new JsonColumns(shape.pool().plans(), shape.rules());
        JsonRules rules = shape.rules();
        this.maps = new MapParser(new JsonOptions(
                false, rules.nonFinite(), rules.uniqueKeys(), rules.maxNumberDigits(), rules.maxNesting()));
        if (shape.filterPool() != null) {
            filterColumns = new JsonColumns(shape.filterPool().plans(), Objects.requireNonNull(shape.filterRules()));
            filter = new CompiledFilter(
                    Objects.requireNonNull(reader.spec.filter()),
                    shape.filterPool().plans(),
                    reader.spec.timestampPatterns());
        }
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // another shape is another object
    public DecodedBlock<JsonlChunk> decode(Block block) {
        if (shape != reader.shape()) {
            shape = reader.shape();
            columns = new JsonColumns(shape.pool().plans(), shape.rules());
        }
        ColumnChunk chunk = shape.pool().take();
        columns.open(chunk);
        lines.openPadded(block);
        String misfit = null;
        int records = 0;
        if (filterColumns == null || filter == null) {
            while (lines.nextStart()) {
                try {
                    int end = columns.record(lines.bytes(), lines.start(), chunk);
                    if (lines.endedAt(end)) {
                        chunk.endRow();
                        records++;
                    } else {
                        chunk.rollback();
                    }
                } catch (JsonFailure e) {
                    chunk.rollback();
                    if (e instanceof JsonMismatches.Misfit unfit) {
                        misfit = misfit == null ? unfit.path() : misfit;
                        records += lines.endedAt(unfit.at()) ? 1 : 0;
                    } else {
                        reject(e);
                    }
                }
            }
        } else {
            int[] ordinals = new int[64];
            ColumnChunk seen = Objects.requireNonNull(shape.filterPool()).take();
            filterColumns.open(seen);
            while (lines.nextStart()) {
                try {
                    int end = filterColumns.record(lines.bytes(), lines.start(), seen);
                    boolean wanted = filter.test(seen, 0);
                    seen.rollback();
                    int row = chunk.rows;
                    if (wanted) {
                        end = columns.record(lines.bytes(), lines.start(), chunk);
                    }
                    if (!lines.endedAt(end)) {
                        chunk.rollback();
                        continue;
                    }
                    if (wanted) {
                        ordinals = row < ordinals.length ? ordinals : Arrays.copyOf(ordinals, row * 2);
                        ordinals[row] = records;
                        chunk.endRow();
                    }
                    records++;
                } catch (JsonFailure e) {
                    seen.rollback();
                    chunk.rollback();
                    if (e instanceof JsonMismatches.Misfit unfit) {
                        misfit = misfit == null ? unfit.path() : misfit;
                        records += lines.endedAt(unfit.at()) ? 1 : 0;
                    } else {
                        reject(e);
                    }
                }
            }
            chunk.ordinals = ordinals;
        }
        chunk.finish(records);
        boolean keeps = reader.keepsBytes();
        return lines.close(new JsonlChunk(chunk, shape, keeps ? block : null, misfit, ignored()), records);
    }

    /** What breaks JSON's grammar is told as the reader of maps tells it, whatever column it was met in. */
    private void reject(JsonFailure met) {
        JsonFailure failure = met;
        if (!(met instanceof JsonMismatches.Mismatch)) {
            int start = lines.start();
            try {
                Object value = maps.parse(lines.bytes(), start);
                if (lines.bytes()[start] != '{') {
                    failure = new JsonFailure(
                            Kind.UNEXPECTED_TYPE, "the record is not an object but " + type(value), start);
                }
            } catch (JsonFailure e) {
                failure = e;
            }
        }
        Kind kind = failure.kind() == Kind.MALFORMED ? lines.malformedAt(failure.at()) : failure.kind();
        lines.reject(kind, String.valueOf(failure.getMessage()), failure.at(), null);
    }

    private static String type(@Nullable Object value) {
        if (value == null) {
            return "null";
        }
        return value instanceof String
                ? "a string"
                : value instanceof Number ? "a number" : value instanceof Boolean ? "a boolean" : "an array";
    }

    private Map<String, Long> ignored() {
        if (shape.rules().unexpected() != Unexpected.IGNORE) {
            return Map.of();
        }
        Map<String, Long> counts = new TreeMap<>();
        columns.root.takeCounts(counts);
        return counts;
    }
}
