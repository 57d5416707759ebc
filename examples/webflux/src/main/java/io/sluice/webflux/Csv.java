package io.sluice.webflux;

import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import de.siegmar.fastcsv.writer.QuoteStrategies;
import io.sluice.SluiceException;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import io.sluice.format.Jsonl;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Rows of CSV (RFC 4180), a header first. The columns are those that were asked for, or else the keys of the first {@value #ROWS}
 * records; a key that turns up later is an error, never dropped in silence. Null and a missing key are empty, an empty text is
 * {@code ""}, objects and arrays are JSON. Single-threaded, for one answer.
 */
final class Csv {

    static final int ROWS = 256;

    private final boolean chosen;
    private final Set<String> columns;
    private final Encoder<Map<String, Object>> json = Jsonl.maps().encoder();
    private long rowsBefore;

    Csv(List<String> columns) {
        this.chosen = !columns.isEmpty();
        this.columns = new LinkedHashSet<>(columns);
    }

    ByteBuffer encode(List<Map<String, Object>> rows) {
        StringWriter text = new StringWriter();
        CsvWriter csv = CsvWriter.builder()
                .bufferSize(0) // the text is the buffer
                .lineDelimiter(LineDelimiter.CRLF)
                .quoteStrategy(QuoteStrategies.EMPTY)
                .build(text);
        if (rowsBefore == 0) {
            if (!chosen) {
                rows.forEach(row -> columns.addAll(row.keySet()));
            }
            csv.writeRecord(columns);
        }
        for (Map<String, Object> row : rows) {
            rowsBefore++;
            if (!chosen && !columns.containsAll(row.keySet())) {
                throw unexpected(row);
            }
            String[] fields =
                    columns.stream().map(column -> field(row.get(column))).toArray(String[]::new);
            csv.writeRecord(fields);
        }
        return ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private SluiceException unexpected(Map<String, Object> row) {
        Set<String> keys = new LinkedHashSet<>(row.keySet());
        keys.removeAll(columns);
        return new SluiceException(
                null,
                -1,
                -1,
                "record " + rowsBefore + " of the answer has keys that the first " + ROWS + " have not: " + keys
                        + "; say which you want by ?columns=",
                null);
    }

    private @Nullable String field(@Nullable Object value) {
        if (value instanceof Map || value instanceof List) {
            Output out = new Output(256);
            json.encode(Map.of("", value), out); // {"":…}
            return new String(out.array(), 4, out.position() - 6, StandardCharsets.UTF_8);
        }
        return value instanceof BigDecimal decimal ? decimal.toPlainString() : value == null ? null : value.toString();
    }
}
