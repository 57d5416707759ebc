package io.sluice.format;

import io.sluice.RecordException;
import io.sluice.RecordException.Kind;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.ReadLimits;
import io.sluice.internal.json.JsonFailure;
import io.sluice.internal.json.JsonOptions;
import io.sluice.internal.json.JsonValidator;
import io.sluice.internal.json.Lines;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** JSON values as whatever a codec makes of them, after they have been found to be JSON. */
final class TypedDecoder implements BlockDecoder<Object[]> {

    private final JsonCodec<?> codec;
    private final JsonValidator validator;
    private final Lines lines;
    private int expected = 64;

    TypedDecoder(JsonCodec<?> codec, JsonlSpec spec, ReadLimits limits) {
        this.codec = codec;
        this.validator = new JsonValidator(options(spec, limits.maxNesting()));
        this.lines = new Lines(limits);
    }

    static JsonOptions options(JsonlSpec spec, int maxNesting) {
        return new JsonOptions(
                spec.usesBigDecimals(),
                spec.acceptsNonFinite(),
                spec.rejectsDuplicateKeys(),
                spec.maxNumberDigits(),
                maxNesting);
    }

    @Override
    public DecodedBlock<Object[]> decode(Block block) {
        Object[] values = new Object[expected];
        int n = 0;
        lines.openPadded(block);
        while (lines.nextStart()) {
            byte[] b = lines.bytes();
            int start = lines.start();
            int end;
            try {
                end = validator.check(b, start);
            } catch (JsonFailure e) {
                Kind kind = e.kind() == Kind.MALFORMED ? lines.malformedAt(e.at()) : e.kind();
                lines.reject(kind, String.valueOf(e.getMessage()), e.at(), null);
                continue;
            }
            Object value = read(b, start, end);
            if (value != null && lines.endedAt(end)) {
                if (n == values.length) {
                    values = Arrays.copyOf(values, n * 2);
                }
                values[n++] = value;
            }
        }
        expected = Math.max(16, n + (n >> 3));
        return lines.close(values, n);
    }

    /** The value, or null after it has been rejected. */
    private @Nullable Object read(byte[] b, int start, int end) {
        try {
            Object value = codec.read(b, start, end);
            if (value != null) {
                return value;
            }
            lines.reject(
                    Kind.UNMAPPABLE, "the codec made null of the record, and a stream can't carry null", start, null);
        } catch (RecordException e) {
            int at = e.offset() < 0 ? start : (int) Math.min(end, start + e.offset());
            lines.reject(e.kind(), e.reason(), at, e.getCause());
        } catch (Exception e) {
            lines.reject(Kind.UNMAPPABLE, "the codec refused the record: " + e, start, e);
        } catch (StackOverflowError e) { // where maxNesting was raised beyond what the codec's recursion can bear
            lines.reject(Kind.TOO_DEEP, "nested too deeply for the codec", start, null);
        }
        return null;
    }
}
