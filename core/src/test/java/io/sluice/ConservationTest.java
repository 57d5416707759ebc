package io.sluice;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.format.Jsonl;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.TestData;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file is damaged at every byte in turn: under every policy each byte is accounted for and nothing good is lost. */
class ConservationTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final String TEXT = "\ufeff{\"id\":1,\"name\":\"J\u00f6rg\",\"tags\":[\"a\",\"b\"]}\n\n"
            + "{\"id\":2,\"price\":-12.5e3,\"ok\":true}\r\n"
            + "   \n"
            + "{\"id\":3,\"nested\":{\"x\":null,\"y\":\"\\u00e9\\n\"}}\n"
            + "{\"id\":4}";

    private record Run(List<Object> values, List<ShardReport> reports, List<Rejected> rejected, Throwable error) {}

    private static Run read(String key, byte[] stored, ErrorPolicy policy, int chunk) {
        List<Object> values = new ArrayList<>();
        List<ShardReport> reports = new ArrayList<>();
        List<Rejected> rejected = new ArrayList<>();
        Throwable error = null;
        try {
            Dataset.at(new ChunkedStore(chunk, null).with(key, stored), key, Jsonl.maps())
                    .read(ReadSpec.create()
                            .blockBytes(1024)
                            .parallelism(2)
                            .onError(policy)
                            .listener(new DatasetListener() {
                                @Override
                                public void shardCompleted(ShardReport report) {
                                    reports.add(report);
                                }

                                @Override
                                public void rejected(Rejected r) {
                                    rejected.add(r);
                                }
                            }))
                    .doOnNext(values::add)
                    .blockLast(PATIENCE);
        } catch (SluiceException e) {
            error = e;
        }
        return new Run(values, reports, rejected, error);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x00, 0x0a, 0x22, 0x5c, 0x7b, 0x80, 0xff})
    void plain(int damage) {
        byte[] good = TEXT.getBytes(UTF_8);
        List<Object> whole = read("a.jsonl", good, ErrorPolicy.fail(), 1 << 20).values();
        assertThat(whole).hasSize(4);
        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] = (byte) damage;
            List<Rejected> letters = new ArrayList<>();
            List<Supplier<ErrorPolicy>> policies = List.of(
                    ErrorPolicy::skip,
                    () -> ErrorPolicy.deadLetter(letters::add),
                    () -> ErrorPolicy.replace(r -> Map.of("replaced", r.line())),
                    () -> ErrorPolicy.skip().limit(0),
                    ErrorPolicy::fail);
            Run skipped = read("a.jsonl", bad, ErrorPolicy.skip(), 3);
            for (Supplier<ErrorPolicy> policy : policies) {
                Run run = read("a.jsonl", bad, policy.get(), at % 2 == 0 ? 7 : 1 << 20);
                boolean fails = policy.get().limit() == 0;
                if (fails && !skipped.rejected().isEmpty()) {
                    assertThat(run.error()).isInstanceOf(RecordException.class);
                    assertThat(skipped.values().subList(0, run.values().size()))
                            .as("what comes before the error, byte %d", at)
                            .isEqualTo(run.values());
                    continue;
                }
                assertThat(run.error()).as("byte %d", at).isNull();
                ShardReport report = run.reports().get(0);
                assertThat(report.conserved()).as("byte %d: %s", at, report).isTrue();
                assertThat(report.bytesIn()).isEqualTo(bad.length);
                assertThat(report.bytesLost()).isZero();
                assertThat(report.rejected()).isEqualTo(skipped.rejected().size());
                assertThat(run.rejected().stream().mapToLong(Rejected::length).sum())
                        .isEqualTo(report.bytesRejected());
                boolean replaces = policy.get().replacement() != null;
                assertThat(run.values())
                        .hasSize(skipped.values().size()
                                + (replaces ? run.rejected().size() : 0));
            }
            assertThat(letters).hasSameSizeAs(skipped.rejected());
            // one damaged byte spoils one record, or two where it was the newline between them
            long untouched = skipped.values().stream().filter(whole::contains).count();
            assertThat(untouched).as("byte %d", at).isGreaterThanOrEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "zstd"})
    void compressedAndDamagedIsNeverSilent(String name) {
        byte[] good = TestData.compress(TestData.compression(name), TEXT.getBytes(UTF_8), 40);
        String key = "a.jsonl" + TestData.compression(name).extensions().get(0);
        List<Object> whole = read(key, good, ErrorPolicy.fail(), 1 << 20).values();
        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] ^= 0x55;
            for (ErrorPolicy policy : List.of(ErrorPolicy.fail(), ErrorPolicy.skip())) {
                Run run = read(key, bad, policy, 5);
                if (run.error() == null) {
                    // gzip's header has bytes without meaning (time, system, flags of the deflater)
                    assertThat(run.values()).as("%s byte %d", name, at).isEqualTo(whole);
                } else {
                    assertThat(run.error().getMessage()).startsWith("[" + key + "]");
                    // a checksum comes at its frame's end: records of the damaged frame may be out by then
                    assertThat(run.values().size()).isLessThanOrEqualTo(whole.size() + 1);
                }
                run.reports()
                        .forEach(r -> assertThat(r.conserved()).as(r.toString()).isTrue());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "zstd"})
    void cutOffAnywhereIsAnErrorUnderEveryPolicy(String name) {
        byte[] good = TestData.compress(TestData.compression(name), TEXT.getBytes(UTF_8), 1 << 20);
        String key = "a.jsonl" + TestData.compression(name).extensions().get(0);
        List<Object> whole = read(key, good, ErrorPolicy.fail(), 1 << 20).values();
        for (int length = 1; length < good.length; length++) {
            byte[] cut = java.util.Arrays.copyOf(good, length);
            for (ErrorPolicy policy : List.of(ErrorPolicy.fail(), ErrorPolicy.skip())) {
                Run run = read(key, cut, policy, 4);
                assertThat(run.error())
                        .as("%s cut to %d", name, length)
                        .isInstanceOfSatisfying(CorruptDataException.class, e -> {
                            assertThat(e.key()).isEqualTo(key);
                            assertThat(e.offset()).isGreaterThanOrEqualTo(0);
                        });
                assertThat(whole.subList(0, run.values().size())).isEqualTo(run.values());
                assertThat(run.reports()).hasSize(1);
                assertThat(run.reports().get(0).complete()).isFalse();
                assertThat(run.reports().get(0).conserved())
                        .as(run.reports().toString())
                        .isTrue();
            }
        }
    }
}
