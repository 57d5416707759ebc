package io.sluice.internal.write;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.sluice.ErrorPolicy;
import io.sluice.RecordException;
import io.sluice.Rejected;
import io.sluice.RollingPolicy;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import io.sluice.format.Jsonl;
import io.sluice.storage.InMemoryObjectStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;

/** Values that can't be written. */
class ShardWriterErrorPolicyTest {

    private final InMemoryObjectStore store = InMemoryObjectStore.create();
    private final LineFormat format = new LineFormat();

    private WriteResult write(ErrorPolicy policy, String location, String... values) {
        WriteSpec spec = WriteSpec.create().onError(policy);
        if (location.endsWith("/")) {
            spec = spec.rolling(RollingPolicy.maxRecords(2));
        }
        return ShardWriters.write(Flux.just(values), store, location, format, spec)
                .block();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.txt", "a/"})
    void failIsTheDefault(String location) {
        Throwable error = catchThrowable(
                () -> ShardWriters.write(Flux.just("one", "!two", "three"), store, location, format, WriteSpec.create())
                        .block());

        String key = location.endsWith("/") ? "a/part-00000.txt" : "a.txt";
        assertThat(error)
                .isInstanceOfSatisfying(RecordException.class, e -> {
                    assertThat(e.key()).isEqualTo(key);
                    assertThat(e.line()).isEqualTo(2);
                    assertThat(e.offset()).isEqualTo(4);
                    assertThat(e.kind()).isEqualTo(RecordException.Kind.UNMAPPABLE);
                })
                .hasMessage("[" + key + "] line 2 @ byte 4: begins with !");
        assertThat(Stored.keys(store)).isEmpty();
        assertThat(format.released).hasValue(3);
    }

    @Test
    void whatTheEncoderThrowsOtherwiseIsARefusalToo() {
        Throwable error = catchThrowable(() -> write(ErrorPolicy.fail(), "a.txt", "?"));

        assertThat(error)
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("thrown by the encoder")
                .hasCauseInstanceOf(IllegalStateException.class);
    }

    @Test
    void aStackOverflowIsARefusalToo() {
        LineFormat deep = new LineFormat() {
            @Override
            public Encoder<String> encoder() {
                return (value, out) -> {
                    throw new StackOverflowError();
                };
            }
        };
        Throwable error =
                catchThrowable(() -> ShardWriters.write(Flux.just("x"), store, "a.txt", deep, WriteSpec.create())
                        .block());

        assertThat(error)
                .isInstanceOfSatisfying(
                        RecordException.class, e -> assertThat(e.kind()).isEqualTo(RecordException.Kind.TOO_DEEP));
    }

    @Test
    void skipLeavesThemOut() {
        WriteResult result = write(ErrorPolicy.skip(), "a/", "!0", "one", "!two", "three", "?four", "five", "!six");

        assertThat(result.records()).isEqualTo(3);
        assertThat(result.rejected()).isEqualTo(4);
        assertThat(result.shards()).hasSize(2);
        assertThat(Stored.text(store, "a/part-00000.txt")).isEqualTo("one\nthree\n");
        assertThat(Stored.text(store, "a/part-00001.txt")).isEqualTo("five\n");
        assertThat(Stored.keys(store)).hasSize(2);
        assertThat(format.released).hasValue(7);
    }

    @Test
    void noShardWhereNothingCanBeWritten() {
        WriteResult result = write(ErrorPolicy.skip(), "a/", "!0", "!1");

        assertThat(result.shards()).isEmpty();
        assertThat(result.rejected()).isEqualTo(2);
        assertThat(Stored.keys(store)).isEmpty();
    }

    @Test
    void deadLettersHaveTheValueAndItsPlace() {
        List<Rejected> dead = new ArrayList<>();

        write(ErrorPolicy.deadLetter(dead::add), "a/", "one", "two", "three", "!four", "five", "?six");

        assertThat(dead).extracting(Rejected::value).containsExactly("!four", "?six");
        assertThat(dead).extracting(Rejected::key).containsExactly("a/part-00001.txt", "a/part-00002.txt");
        assertThat(dead).extracting(Rejected::line).containsExactly(2L, 1L);
        assertThat(dead).extracting(Rejected::offset).containsExactly(6L, 0L);
        assertThat(dead).extracting(Rejected::length).containsOnly(0L);
    }

    @Test
    void replacementsTakeTheirPlace() {
        WriteResult result = write(
                ErrorPolicy.replace(r -> r.value().equals("!gone") ? null : "instead of " + r.value()),
                "a/",
                "one",
                "!two",
                "!gone",
                "three");

        assertThat(result.rejected()).isEqualTo(2);
        assertThat(Stored.text(store, "a/part-00000.txt")).isEqualTo("one\ninstead of !two\n");
        assertThat(Stored.text(store, "a/part-00001.txt")).isEqualTo("three\n");
    }

    @Test
    void aReplacementThatOverflowsGoesToTheNextShard() {
        WriteSpec spec =
                WriteSpec.create().onError(ErrorPolicy.replace(r -> "12345678")).rolling(RollingPolicy.maxBytes(10));

        WriteResult result = ShardWriters.write(Flux.just("one", "!", "three"), store, "a/", format, spec)
                .block();

        assertThat(result.shards()).hasSize(3);
        assertThat(Stored.text(store, "a/part-00001.txt")).isEqualTo("12345678\n");
    }

    @Test
    void aReplacementThatCantBeWrittenIsAnError() {
        Throwable error = catchThrowable(() -> write(ErrorPolicy.replace(r -> "!again"), "a.txt", "one", "!two"));

        assertThat(error).isInstanceOf(RecordException.class).hasMessageContaining("line 2");
    }

    @Test
    void theLimitIsTheLastOneThatPasses() {
        ErrorPolicy two = ErrorPolicy.skip().limit(2);

        assertThat(write(two, "a.txt", "!0", "one", "!2").rejected()).isEqualTo(2);
        Throwable error = catchThrowable(() -> write(two, "b.txt", "!0", "one", "!2", "three", "!4"));
        assertThat(error).isInstanceOf(RecordException.class).hasMessageContaining("[b.txt] line 3");
        assertThat(Stored.keys(store)).containsExactly("a.txt");
    }

    @Test
    void whatAPolicyThrowsEndsTheWriting() {
        Throwable error = catchThrowable(() -> write(
                ErrorPolicy.deadLetter(r -> {
                    throw new IllegalStateException("full");
                }),
                "a.txt",
                "!"));

        assertThat(error).hasMessage("full");
        assertThat(format.released).hasValue(1);
    }

    @Test
    void rowsOfABatchAreCounted() {
        LineFormat batches = new LineFormat() {
            @Override
            public Encoder<String> encoder() {
                return (String value, Output out) -> {
                    if (value.startsWith("!")) {
                        throw new RecordException(RecordException.Kind.UNMAPPABLE, null, 3, -1, "third row", null);
                    }
                    out.write('\n');
                    return 10;
                };
            }
        };
        Throwable error = catchThrowable(
                () -> ShardWriters.write(Flux.just("a", "b", "!c"), store, "a.txt", batches, WriteSpec.create())
                        .block());

        assertThat(error).hasMessageContaining("line 23");
    }

    @Test
    void jsonThatDoesNotExistIsNeverWrittenAsNull() {
        List<Rejected> dead = new ArrayList<>();
        WriteSpec spec = WriteSpec.create().onError(ErrorPolicy.deadLetter(dead::add));
        Object throwing = new Object() {
            @Override
            public String toString() {
                throw new IllegalStateException("bean");
            }
        };
        WriteResult result = ShardWriters.write(
                        Flux.just(
                                Map.<String, Object>of("a", 1),
                                Map.<String, Object>of("a", Double.NaN),
                                Map.<String, Object>of("a", Map.of(1, 2)),
                                Map.<String, Object>of("a", throwing),
                                Map.<String, Object>of("a", 2)),
                        store,
                        "a.jsonl",
                        Jsonl.maps(),
                        spec)
                .block();

        assertThat(result.rejected()).isEqualTo(3);
        assertThat(Stored.text(store, "a.jsonl")).isEqualTo("{\"a\":1}\n{\"a\":2}\n");
        assertThat(dead).extracting(Rejected::line).containsExactly(2L, 2L, 2L);
    }
}
