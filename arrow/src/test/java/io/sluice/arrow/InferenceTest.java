package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.codec.Block;
import io.sluice.codec.ReadLimits;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The promotion table of docs/arrow.md, line by line. */
class InferenceTest {

    private static final ReadLimits LIMITS = new ReadLimits(1 << 18, 1 << 24, 1000);

    private static Schema infer(ArrowSpec spec, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return Inference.of(
                List.of(new Block(bytes, 0, bytes.length, 0, null)),
                spec.sampleRecords(),
                LIMITS,
                spec.rules(1000, Projection.ALL),
                spec.inference());
    }

    private static String typeOf(ArrowSpec spec, String values) {
        StringBuilder text = new StringBuilder();
        for (String value : values.split(" ; ")) {
            text.append("{\"v\":").append(value).append("}\n");
        }
        return show(infer(spec, text.toString()).findField("v"));
    }

    private static String show(Field field) {
        String type = JsonType.isJson(field) ? "json" : field.getType().toString();
        return field.getChildren().isEmpty()
                ? type
                : type
                        + field.getChildren().stream()
                                .map(c -> c.getName() + ":" + show(c))
                                .toList();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            null                                   | Null
            null ; null ; true                     | Bool
            1 ; null ; -5                          | Int(64, true)
            9223372036854775807 ; 0                | Int(64, true)
            1 ; 9223372036854775808                | Decimal(38, 0, 128)
            123456789012345678901234567890123456789 | Decimal(76, 0, 256)
            1 ; 0.5                                | FloatingPoint(DOUBLE)
            1e3                                    | FloatingPoint(DOUBLE)
            9007199254740992 ; 0.5                 | FloatingPoint(DOUBLE)
            9007199254740993 ; 0.5                 | json
            18446744073709551616 ; 0.5             | json
            "a" ; null                             | Utf8
            true ; 1                               | json
            1 ; "a"                                | json
            {} ; []                                | json
            {"a":1} ; {"b":"x"} ; {"a":0.5}        | Struct[a:FloatingPoint(DOUBLE), b:Utf8]
            []                                     | List[item:Null]
            [] ; [null] ; [1]                      | List[item:Int(64, true)]
            [1,"a"]                                | List[item:json]
            [{"a":1}] ; [{"a":[]},{"a":null}]      | List[item:Struct[a:json]]
            "2026-01-31"                           | Utf8
            """)
    void promotes(String values, String type) {
        assertThat(typeOf(ArrowSpec.create(), values)).isEqualTo(type);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "2026-01-31T00:00:00Z" ; "2026-01-31T00:00:00.123456+01:00" | Timestamp(MICROSECOND, UTC)
            "2026-01-31T00:00:00Z" ; "2026-01-31T00:00:00.123456789Z"   | Timestamp(NANOSECOND, UTC)
            "2026-01-31T00:00:00" ; null                                | Timestamp(MICROSECOND, null)
            "2026-01-31T00:00:00" ; "2026-01-31T00:00:00Z"              | Utf8
            "2026-01-31"                                                | Date(DAY)
            "12:34:56"                                                  | Time(MICROSECOND, 64)
            "2026-01-31" ; "x"                                          | Utf8
            """)
    void detectsTimestampsWhereAsked(String values, String type) {
        assertThat(typeOf(ArrowSpec.create().detectTimestamps(), values)).isEqualTo(type);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            1.25 ; 10 ; 1000000.5                   | Decimal(38, 2, 128)
            1e-3 ; 12.5e1                           | Decimal(38, 3, 128)
            9007199254740993 ; 0.5                  | Decimal(38, 1, 128)
            1234567890123456789012345678901234567890.5 ; 1 | Decimal(76, 1, 256)
            """)
    void infersDecimalsWhereAsked(String values, String type) {
        assertThat(typeOf(ArrowSpec.create().decimals(), values)).isEqualTo(type);
    }

    @Test
    void infersUnionsWhereAsked() {
        assertThat(typeOf(ArrowSpec.create().unions(), "1 ; \"a\" ; null ; [1]"))
                .isEqualTo("Union(Dense, [0, 1, 2])[int:Int(64, true), utf8:Utf8, list:List[item:Int(64, true)]]");
        assertThat(Rows.read(ArrowSpec.create().unions(), "{\"v\":1}\n{\"v\":\"a\"}\n{}\n{\"v\":[1,2]}\n")
                        .toString())
                .isEqualTo("[{v=1}, {v=a}, {}, {v=[1, 2]}]");
        // in lists, in lists of lists, and beside each other
        assertThat(typeOf(ArrowSpec.create().unions(), "[1,\"a\",null] ; [[true,0.5]]"))
                .isEqualTo("List[item:Union(Dense, [0, 1, 2])[int:Int(64, true), utf8:Utf8,"
                        + " list:List[item:Union(Dense, [0, 1])[bool:Bool, floatingpoint:FloatingPoint(DOUBLE)]]]]");
        String lists = "{\"v\":[1,\"a\",null]}\n{\"v\":[]}\n{}\n{\"v\":[[true,0.5],2]}\n";
        assertThat(Rows.read(ArrowSpec.create().unions(), lists).toString())
                .isEqualTo("[{v=[1, a, null]}, {v=[]}, {}, {v=[[true, 0.5], 2]}]");
    }

    @Test
    void theSampleEndsAtItsRecordsAndRefusedOnesHaveNoSay() {
        assertThat(infer(
                                ArrowSpec.create().sampleRecords(2),
                                "\n{\"a\":1}\n{\"bad\":}\n[]\n{\"a\":2}\n{\"a\":\"x\",\"b\":1}\n")
                        .getFields())
                .extracting(InferenceTest::show)
                .containsExactly("Int(64, true)");
    }

    @ParameterizedTest
    @MethodSource("refused")
    void nothingOfARefusedRecordIsNoted(String record) {
        Schema schema = infer(ArrowSpec.create(), "{\"v\":1}\n" + record + "\n{\"v\":2}\n");
        assertThat(schema.getFields()).extracting(InferenceTest::show).containsExactly("Int(64, true)");
    }

    static Stream<String> refused() {
        StringBuilder keys = new StringBuilder("{\"v\":\"x\"");
        for (int i = 0; i <= Inference.MAX_COLUMNS; i++) {
            keys.append(",\"k").append(i).append("\":0");
        }
        return Stream.of(
                "{\"v\":\"x\"",
                "{\"v\":\"x\",",
                "{\"v\":\"x\",}",
                "{\"v\":\"x\",n:1}",
                "{\"v\":\"x\" \"n\":1}",
                "{\"v\":\"x\",\"n\" 1}",
                "{\"v\":\"x\",\"n\":}",
                "{\"v\":\"x\",\"n\":tru}",
                "{\"v\":\"x\",\"n\":fals}",
                "{\"v\":\"x\",\"n\":nul}",
                "{\"v\":\"x\",\"n\":01}",
                "{\"v\":\"x\",\"n\":-}",
                "{\"v\":\"x\",\"n\":1.}",
                "{\"v\":\"x\",\"n\":NaN}",
                "{\"v\":\"x\",\"n\":-Infinity}",
                "{\"v\":\"x\",\"n\":[1,]}",
                "{\"v\":\"x\",\"n\":[1 2]}",
                "{\"v\":\"x\",\"n\":[1}",
                "{\"v\":\"x\",\"n\":\"\\x\"}",
                "{\"v\":\"x\",\"n\":\"\\ud800\"}",
                "{\"v\":\"x\",\"n\":\"\u0001\"}",
                "{\"v\":\"x\",\"n\":" + "[".repeat(1000) + "]".repeat(1000) + "}",
                "{\"v\":\"x\",\"n\":" + "{\"n\":".repeat(1000) + "1" + "}".repeat(1001),
                "{\"v\":\"x\"} x",
                "{\"v\":\"x\"}{\"v\":\"x\"}",
                "{\"v\":\"x\",\"n\":\"" + "x".repeat(1 << 24) + "\"}",
                "[{\"v\":\"x\"}]",
                "\"v\"",
                keys + " ",
                keys + "]");
    }

    @Test
    void keysWithoutEndAreRefused() {
        StringBuilder text = new StringBuilder("{\"k\":0");
        for (int i = 0; i < 30_000; i++) {
            text.append(",\"k").append(i).append("\":1");
        }
        assertThatThrownBy(() -> infer(ArrowSpec.create(), text.append("}").toString()))
                .hasMessageContaining("different keys");
    }
}
