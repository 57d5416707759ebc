package io.sluice.format;

import io.sluice.RecordException.Kind;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.ReadLimits;
import io.sluice.internal.json.JsonFailure;
import io.sluice.internal.json.JsonOptions;
import io.sluice.internal.json.Lines;
import io.sluice.internal.json.MapParser;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** JSON objects as maps. */
final class MapDecoder implements BlockDecoder<Object[]> {

    private final Lines lines;
    private final MapParser parser;
    private int expected = 64;

    MapDecoder(JsonlSpec spec, ReadLimits limits) {
        this.lines = new Lines(limits);
        this.parser = new MapParser(new JsonOptions(
                spec.usesBigDecimals(),
                spec.acceptsNonFinite(),
                spec.rejectsDuplicateKeys(),
                spec.maxNumberDigits(),
                limits.maxNesting()));
    }

    @Override
    public DecodedBlock<Object[]> decode(Block block) {
        Object[] values = new Object[expected];
        int n = 0;
        lines.openPadded(block);
        parser.startBlock();
        while (lines.nextStart()) {
            int start = lines.start();
            @Nullable Object value;
            try {
                value = parser.parse(lines.bytes(), start);
            } catch (JsonFailure e) {
                int at = e.at();
                Kind kind = e.kind() == Kind.MALFORMED ? lines.malformedAt(at) : e.kind();
                lines.reject(kind, String.valueOf(e.getMessage()), at, null);
                continue;
            }
            if (lines.bytes()[start] != '{') {
                lines.reject(Kind.UNEXPECTED_TYPE, "the record is not an object but " + type(value), start, null);
            } else if (lines.endedAt(parser.end())) {
                if (n == values.length) {
                    values = Arrays.copyOf(values, n * 2);
                }
                values[n++] = Objects.requireNonNull(value);
            }
        }
        expected = Math.max(16, n + (n >> 3));
        return lines.close(values, n);
    }

    private static String type(@Nullable Object value) {
        if (value == null) {
            return "null";
        }
        return value instanceof String
                ? "a string"
                : value instanceof Number ? "a number" : value instanceof Boolean ? "a boolean" : "an array";
    }
}
