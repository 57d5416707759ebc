package io.sluice.arrow;

import static io.sluice.arrow.Batches.field;
import static io.sluice.arrow.Batches.integer;
import static io.sluice.arrow.RowFilter.and;
import static io.sluice.arrow.RowFilter.atLeast;
import static io.sluice.arrow.RowFilter.atMost;
import static io.sluice.arrow.RowFilter.equal;
import static io.sluice.arrow.RowFilter.greater;
import static io.sluice.arrow.RowFilter.in;
import static io.sluice.arrow.RowFilter.isNotNull;
import static io.sluice.arrow.RowFilter.isNull;
import static io.sluice.arrow.RowFilter.less;
import static io.sluice.arrow.RowFilter.not;
import static io.sluice.arrow.RowFilter.notEqual;
import static io.sluice.arrow.RowFilter.or;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.ErrorPolicy;
import io.sluice.ReadSpec;
import io.sluice.Rejected;
import io.sluice.format.JsonlSpec;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.Test;

/** What conditions hold for, by type of the column and by operator. */
class RowFilterTest {

    private static final String[] LINES = {
        "{\"id\":0,\"i\":-5,\"u\":18446744073709551615,\"f\":0.1,\"d\":0.1,\"m\":1.25,\"s\":\"a\",\"t\":\"1970-01-01\",\"b\":true,\"o\":{\"x\":1}}",
        "{\"id\":1}",
        "{\"id\":2,\"i\":0,\"u\":1,\"f\":NaN,\"d\":NaN,\"m\":-0.05,\"s\":\"é\",\"t\":\"2026-01-31\",\"b\":false,\"o\":{}}",
        "{\"id\":3,\"i\":5,\"u\":9223372036854775808,\"f\":-1.5,\"d\":Infinity,\"m\":100,\"s\":\"z\",\"t\":\"1969-12-31\",\"o\":{\"x\":2}}",
        "{\"id\":4,\"i\":null,\"u\":0,\"f\":16777216,\"d\":1e300,\"m\":1.3,\"s\":\"\",\"t\":\"9999-12-31\",\"o\":null}"
    };

    private static final Schema SCHEMA = new Schema(List.of(
            field("id", integer(64, true)),
            field("i", integer(8, true)),
            field("u", integer(64, false)),
            field("f", new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE)),
            field("d", new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE)),
            field("m", new ArrowType.Decimal(10, 2, 128)),
            field("s", new ArrowType.Utf8()),
            field("t", new ArrowType.Date(DateUnit.DAY)),
            field("b", new ArrowType.Bool()),
            field("o", new ArrowType.Struct(), field("x", integer(32, true)))));

    private static List<Long> ids(RowFilter filter) {
        ArrowSpec spec = ArrowSpec.create()
                .schema(SCHEMA)
                .columns("id")
                .filter(filter)
                .jsonl(JsonlSpec.create().acceptNonFinite());
        List<Long> ids = new ArrayList<>();
        Rows.read(spec, String.join("\n", LINES)).forEach(row -> ids.add((Long) row.get("id")));
        return ids;
    }

    @Test
    void everyOperatorAtItsBorder() {
        assertThat(ids(equal("i", 0))).containsExactly(2L);
        assertThat(ids(notEqual("i", 0))).containsExactly(0L, 3L);
        assertThat(ids(less("i", 0))).containsExactly(0L);
        assertThat(ids(atMost("i", 0))).containsExactly(0L, 2L);
        assertThat(ids(greater("i", 0))).containsExactly(3L);
        assertThat(ids(atLeast("i", 0))).containsExactly(2L, 3L);
        assertThat(ids(in("i", -5, 5, 7))).containsExactly(0L, 3L);
        assertThat(ids(isNull("i"))).containsExactly(1L, 4L);
        assertThat(ids(isNotNull("i"))).containsExactly(0L, 2L, 3L);
        assertThat(ids(atMost("i", 4.5))).containsExactly(0L, 2L);
    }

    @Test
    void unknownStaysUnknown() {
        assertThat(ids(not(less("i", 0)))).containsExactly(2L, 3L);
        assertThat(ids(not(not(less("i", 0))))).containsExactly(0L);
        assertThat(ids(and(less("i", 0), equal("id", 1)))).isEmpty();
        assertThat(ids(or(less("i", 0), equal("id", 1)))).containsExactly(0L, 1L);
        assertThat(ids(not(and(less("i", 0), equal("id", 1))))).containsExactly(0L, 2L, 3L, 4L);
        assertThat(ids(not(or(less("i", 0), equal("id", 1))))).containsExactly(2L, 3L);
    }

    @Test
    void numbersCompareByTheirExactValue() {
        assertThat(ids(greater("u", Long.MAX_VALUE))).containsExactly(0L, 3L);
        assertThat(ids(equal("u", new BigDecimal("18446744073709551615")))).containsExactly(0L);
        assertThat(ids(equal("m", 1.25))).containsExactly(0L);
        assertThat(ids(less("m", 0))).containsExactly(2L);
        assertThat(ids(atLeast("m", "100".length() + 97))).containsExactly(3L);
        // as they are written: no 0.100000001490116… of floats
        assertThat(ids(equal("f", 0.1))).containsExactly(0L);
        assertThat(ids(atMost("f", 0.1))).containsExactly(0L, 3L);
        assertThat(ids(equal("d", 0.1))).containsExactly(0L);
    }

    @Test
    void whatIsNoNumberIsNeitherLessNorMore() {
        for (RowFilter filter :
                List.of(less("d", 1e301), atLeast("d", -1e301), notEqual("d", 7), not(equal("d", Double.valueOf(7))))) {
            assertThat(ids(filter)).doesNotContain(1L).contains(0L, 4L);
        }
        assertThat(ids(less("d", 1e301))).containsExactly(0L, 4L);
        assertThat(ids(notEqual("d", 7))).containsExactly(0L, 4L);
        assertThat(ids(notEqual("f", 7))).containsExactly(0L, 3L, 4L);
    }

    @Test
    void textsCompareByTheirBytesAndDatesByTheirDay() {
        assertThat(ids(greater("s", "z"))).containsExactly(2L);
        assertThat(ids(less("s", "é"))).containsExactly(0L, 3L, 4L);
        assertThat(ids(equal("s", ""))).containsExactly(4L);
        assertThat(ids(less("t", "1970-01-01"))).containsExactly(3L);
        assertThat(ids(greater("t", "2026-01-30"))).containsExactly(2L, 4L);
        assertThat(ids(equal("t", 0))).containsExactly(0L);
        assertThat(ids(equal("b", false))).containsExactly(2L);
        assertThat(ids(notEqual("b", false))).containsExactly(0L);
    }

    @Test
    void whatIsInNoObjectIsNull() {
        assertThat(ids(isNull("o.x"))).containsExactly(1L, 2L, 4L);
        assertThat(ids(atLeast("o.x", 1))).containsExactly(0L, 3L);
        assertThat(ids(notEqual("o.x", 1))).containsExactly(3L);
        assertThat(ids(isNull("o"))).containsExactly(1L, 4L);
    }

    @Test
    void aRecordThatLacksTheColumnIsNotTakenForTheOneBefore() {
        ArrowSpec spec = ArrowSpec.create()
                .schema(new Schema(List.of(field("a", integer(64, true)), field("b", integer(64, true)))))
                .filter(equal("a", 1));
        assertThat(Rows.read(spec, "{\"a\":1,\"b\":1}\n{\"b\":2}\n{\"a\":1,\"b\":3}\n{}\n"))
                .extracting(row -> row.get("b"))
                .containsExactly(1L, 3L);
    }

    @Test
    void whatIsRefusedIsNoRow() {
        ArrowSpec spec = ArrowSpec.create()
                .schema(new Schema(List.of(field("a", integer(64, true)), field("s", new ArrowType.Utf8()))))
                .rowIndexColumn("row")
                .filter(greater("a", 0));
        byte[] text =
                "{\"a\":1,\"s\":\"x\"}\n{\"a\":2,\"s\":\"?\"}\n{\"a\":3,\"s\":\"y\"} {}\n{\"a\":4,\"s\":\"z\"}\n{\"a\":0,\"z\":\"?\"}\n"
                        .getBytes(java.nio.charset.StandardCharsets.UTF_8);
        for (int i = 0; i < text.length; i++) {
            text[i] = text[i] == '?' ? (byte) 0xFF : text[i];
        }
        List<Rejected> refused = new ArrayList<>();
        var rows = Rows.read(
                allocator -> Arrow.jsonl(allocator, spec),
                text,
                1000,
                ReadSpec.create().onError(ErrorPolicy.deadLetter(refused::add)));
        assertThat(rows).extracting(row -> row.get("a")).containsExactly(1L, 4L);
        assertThat(rows).extracting(row -> row.get("row")).containsExactly(0L, 1L);
        assertThat(refused).extracting(Rejected::line).containsExactly(2L, 3L, 5L);
    }
}
