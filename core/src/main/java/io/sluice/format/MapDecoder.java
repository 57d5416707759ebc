package io.sluice.format;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.sluice.RecordException.Kind;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.ReadLimits;
import io.sluice.internal.json.Lines;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** JSON objects as maps. */
final class MapDecoder implements BlockDecoder<Object[]> {

    private static final JsonFactory FACTORY = new JsonFactory();

    private final Lines lines;

    MapDecoder(JsonlSpec spec, ReadLimits limits) {
        this.lines = new Lines(limits);
    }

    @Override
    public DecodedBlock<Object[]> decode(Block block) {
        Object[] values = new Object[64];
        int n = 0;
        lines.open(block);
        while (lines.nextLine()) {
            if (n == values.length) {
                values = Arrays.copyOf(values, n * 2);
            }
            try (JsonParser p = FACTORY.createParser(lines.bytes(), lines.start(), lines.end() - lines.start())) {
                p.nextToken();
                if (p.currentToken() != JsonToken.START_OBJECT) {
                    lines.reject(Kind.UNEXPECTED_TYPE, "the record is not an object", lines.start(), null);
                    continue;
                }
                Object value = value(p);
                if (p.nextToken() != null) {
                    lines.reject(Kind.MALFORMED, "something follows the record's object", lines.start(), null);
                    continue;
                }
                values[n++] = value;
            } catch (JsonProcessingException e) {
                lines.reject(Kind.MALFORMED, String.valueOf(e.getOriginalMessage()), lines.start(), e);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return lines.close(values, n);
    }

    private static @Nullable Object value(JsonParser p) throws IOException {
        switch (p.currentToken()) {
            case START_OBJECT -> {
                Map<String, @Nullable Object> map = new LinkedHashMap<>();
                while (p.nextToken() != JsonToken.END_OBJECT) {
                    String key = p.currentName();
                    p.nextToken();
                    map.put(key, value(p));
                }
                return map;
            }
            case START_ARRAY -> {
                List<@Nullable Object> list = new ArrayList<>();
                while (p.nextToken() != JsonToken.END_ARRAY) {
                    list.add(value(p));
                }
                return list;
            }
            case VALUE_STRING -> {
                return p.getText();
            }
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> {
                return p.getNumberValue();
            }
            case VALUE_TRUE -> {
                return Boolean.TRUE;
            }
            case VALUE_FALSE -> {
                return Boolean.FALSE;
            }
            default -> {
                return null;
            }
        }
    }
}
