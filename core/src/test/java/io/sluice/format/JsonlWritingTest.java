package io.sluice.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sluice.RecordException;
import io.sluice.codec.Block;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import io.sluice.codec.ReadLimits;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What JSONL encoders write, read back by our own decoder and by Jackson. */
class JsonlWritingTest {

    private static final ReadLimits LIMITS = new ReadLimits(1 << 20, 1 << 24, 1000);

    private final ObjectMapper jackson = new ObjectMapper();

    static <T> byte[] encode(Format<T> format, List<T> values) {
        Output out = new Output(16);
        try (Encoder<T> encoder = format.encoder()) {
            encoder.start(out);
            for (T value : values) {
                assertThat(encoder.encode(value, out)).isEqualTo(1);
            }
            assertThat(encoder.pendingBytes()).isZero();
            encoder.finish(out);
        }
        return Arrays.copyOf(out.array(), out.position());
    }

    static List<Object> decode(Format<?> format, byte[] bytes) {
        DecodedBlock<?> block =
                format.reader(LIMITS, List.of()).decoder().decode(new Block(bytes, 0, bytes.length, 0, null));
        assertThat(block.rejections()).isEmpty();
        return Arrays.asList((Object[]) block.values()).subList(0, block.count());
    }

    static @Nullable Path corpora() {
        for (Path p = Path.of("").toAbsolutePath(); p != null; p = p.getParent()) {
            Path corpora = p.resolveSibling("shared/corpora");
            if (Files.isDirectory(corpora)) {
                return corpora;
            }
        }
        return null;
    }

    @ParameterizedTest
    @ValueSource(strings = {"logs", "airline", "events", "chat"})
    void realRecordsComeBackAsTheyWere(String name) throws IOException {
        Path corpora = corpora();
        assumeTrue(corpora != null, "no shared corpora beside the checkout");
        byte[] original = Files.readAllBytes(corpora.resolve("ndjson/" + name + ".ndjson"));
        original = Arrays.copyOf(original, Math.min(original.length, 1 << 20));
        int end = new String(original, StandardCharsets.ISO_8859_1).lastIndexOf('\n') + 1;
        List<Object> maps = decode(Jsonl.maps(), Arrays.copyOf(original, end));
        assertThat(maps).isNotEmpty();

        @SuppressWarnings("unchecked")
        byte[] written = encode(Jsonl.maps(), (List<Map<String, Object>>) (List<?>) maps);

        assertThat(decode(Jsonl.maps(), written)).isEqualTo(maps);
        String[] lines = new String(written, StandardCharsets.UTF_8).split("\n");
        assertThat(lines).hasSize(maps.size());
        for (int i = 0; i < lines.length; i++) {
            assertThat((Object) jackson.readValue(lines[i], Map.class)).isEqualTo(maps.get(i));
        }
    }

    @Test
    void randomValuesComeBackAsTheyWere() throws IOException {
        Random random = new Random(5);
        List<Map<String, Object>> maps = new ArrayList<>();
        for (int i = 0; i < 4000; i++) {
            maps.add(randomMap(random, 0));
        }
        byte[] written = encode(Jsonl.maps(), maps);
        assertThat(decode(Jsonl.maps(), written)).isEqualTo(maps);
        String[] lines = new String(written, StandardCharsets.UTF_8).split("\n");
        for (int i = 0; i < lines.length; i++) {
            assertThat((Object) jackson.readValue(lines[i], Map.class)).isEqualTo(maps.get(i));
        }
    }

    private static Map<String, Object> randomMap(Random random, int depth) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int n = random.nextInt(8); n > 0; n--) {
            map.put(random.nextBoolean() ? "k" + random.nextInt(50) : randomString(random), randomValue(random, depth));
        }
        return map;
    }

    private static @Nullable Object randomValue(Random random, int depth) {
        switch (random.nextInt(depth < 5 ? 10 : 7)) {
            case 0 -> {
                return null;
            }
            case 1 -> {
                return random.nextBoolean();
            }
            case 2 -> {
                return random.nextInt() >> random.nextInt(32);
            }
            case 3 -> {
                long v = random.nextLong();
                return v == (int) v ? (Object) (int) v : v;
            }
            case 4 -> {
                return new BigInteger(200, random).setBit(70);
            }
            case 5 -> {
                double d = Double.longBitsToDouble(random.nextLong());
                return Double.isNaN(d) || Double.isInfinite(d) ? random.nextDouble() : d;
            }
            case 6, 7 -> {
                return randomString(random);
            }
            case 8 -> {
                List<Object> list = new ArrayList<>();
                for (int n = random.nextInt(6); n > 0; n--) {
                    list.add(randomValue(random, depth + 1));
                }
                return list;
            }
            default -> {
                return randomMap(random, depth + 1);
            }
        }
    }

    private static String randomString(Random random) {
        StringBuilder s = new StringBuilder();
        int range = new int[] {0x80, 0x100, 0x3000, 0x20000}[random.nextInt(4)];
        for (int n = random.nextInt(30); n > 0; n--) {
            int c = random.nextInt(range);
            if (c < 0xD800 || c > 0xDFFF) {
                s.appendCodePoint(c);
            }
        }
        return s.toString();
    }

    @Test
    @SuppressWarnings("unchecked")
    void mapsThatWereReadMayBeChangedBeforeTheyAreWritten() {
        String line = "{\"a\":1,\"a longer key, \\u00e9\":[{\"x\":1}],\"\":{}}\n";
        List<Object> maps = decode(Jsonl.maps(), line.repeat(5).getBytes(StandardCharsets.UTF_8));
        ((Map<String, Object>) maps.get(1)).put("a", "new");
        ((Map<String, Object>) maps.get(2)).put("b", 2);
        ((Map<String, Object>) maps.get(3)).remove("a");
        ((Map<String, Object>) maps.get(4)).clear();
        String rest = "\"a longer key, é\":[{\"x\":1}],\"\":{}";
        assertThat(encode(Jsonl.maps(), (List<Map<String, Object>>) (List<?>) maps))
                .asString(StandardCharsets.UTF_8)
                .isEqualTo("{\"a\":1," + rest + "}\n{\"a\":\"new\"," + rest + "}\n{\"a\":1," + rest + ",\"b\":2}\n{"
                        + rest + "}\n{}\n");
        ((Map<String, Object>) maps.get(1)).put("a", Double.NaN);
        assertThatThrownBy(() -> encode(Jsonl.maps(), (List<Map<String, Object>>) (List<?>) maps))
                .hasMessageStartingWith("$.a: NaN");
    }

    @Test
    void bigDecimalsKeepTheirScale() {
        JsonlSpec spec = JsonlSpec.create().bigDecimals();
        List<Map<String, Object>> maps = List.of(Map.of("a", new BigDecimal("1.500"), "b", new BigDecimal("-7E+400")));
        assertThat(encode(Jsonl.maps(spec), maps))
                .asString(StandardCharsets.UTF_8)
                .contains("\"a\":1.500", "\"b\":-7E+400");
    }

    @Test
    void nonFiniteNumbersByOption() {
        List<Map<String, Object>> maps = List.of(Map.of("a", Double.NaN));
        assertThat(encode(Jsonl.maps(JsonlSpec.create().acceptNonFinite()), maps))
                .asString(StandardCharsets.UTF_8)
                .isEqualTo("{\"a\":NaN}\n");
        assertThatThrownBy(() -> encode(Jsonl.maps(), maps))
                .isInstanceOfSatisfying(
                        RecordException.class, e -> assertThat(e.kind()).isEqualTo(RecordException.Kind.UNMAPPABLE))
                .hasMessageContaining("$.a: NaN");
    }

    // ---- bytes

    @Test
    void bytesAreWrittenAsTheyAre() {
        ByteBuffer value = ByteBuffer.wrap("xx{\"a\": 1}xx".getBytes(StandardCharsets.UTF_8), 2, 8);
        ByteBuffer direct =
                ByteBuffer.allocateDirect(3).put(new byte[] {'[', '1', ']'}).flip();
        byte[] written = encode(Jsonl.bytes(), List.of(value, direct, value.asReadOnlyBuffer()));
        assertThat(written).asString(StandardCharsets.UTF_8).isEqualTo("{\"a\": 1}\n[1]\n{\"a\": 1}\n");
        assertThat(value.remaining()).as("the caller's buffer").isEqualTo(8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "\t\r ", "{}\n", "\n", "{\n}", "[1]\n[2]", "\uFEFF{}"})
    void bytesThatWouldNotComeBackAsOneRecord(String text) {
        Output out = new Output(2);
        out.write('x');
        ByteBuffer value = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> Jsonl.bytes().encoder().encode(value, out))
                .isInstanceOfSatisfying(
                        RecordException.class, e -> assertThat(e.kind()).isEqualTo(RecordException.Kind.UNMAPPABLE));
        assertThat(out.position()).isEqualTo(1);
    }
}
