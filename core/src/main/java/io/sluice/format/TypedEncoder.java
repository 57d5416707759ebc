package io.sluice.format;

import io.sluice.RecordException;
import io.sluice.RecordException.Kind;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import io.sluice.internal.json.JsonFailure;
import io.sluice.internal.json.JsonValidator;
import io.sluice.internal.json.JsonWriter;
import io.sluice.internal.json.Lines;
import io.sluice.internal.json.Newlines;

/** Values as the JSON that a codec writes, a line each, after it has been found to be one line and JSON. */
final class TypedEncoder<T> implements Encoder<T> {

    private final JsonCodec<T> codec;
    private final JsonValidator validator;

    TypedEncoder(JsonCodec<T> codec, JsonlSpec spec) {
        this.codec = codec;
        this.validator = new JsonValidator(TypedDecoder.options(spec, JsonWriter.MAX_NESTING));
    }

    @Override
    public int encode(T value, Output out) {
        int start = out.position();
        try {
            codec.write(value, out);
            check(out, start);
        } catch (RecordException e) {
            out.position(start);
            throw e;
        } catch (Exception e) {
            out.position(start);
            throw new RecordException(Kind.UNMAPPABLE, null, -1, -1, "the codec could not write the value: " + e, e);
        }
        return 1;
    }

    private void check(Output out, int start) {
        int end = out.position();
        byte[] b = out.ensure(1 + Lines.PADDING);
        b[end] = '\n';
        try {
            if (validator.check(b, start) == end) {
                out.position(end + 1);
                return;
            }
        } catch (JsonFailure e) {
            if (Newlines.first(b, start, end) < 0) {
                throw new RecordException(
                        Kind.UNMAPPABLE,
                        null,
                        -1,
                        -1,
                        "what the codec wrote is refused, at its byte " + (e.at() - start) + ": " + e.getMessage(),
                        null);
            }
        }
        throw new RecordException(
                Kind.UNMAPPABLE,
                null,
                -1,
                -1,
                "what the codec wrote contains a line feed, which would end the record; it must not indent",
                null);
    }
}
