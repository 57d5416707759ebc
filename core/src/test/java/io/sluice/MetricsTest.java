package io.sluice;

import static io.sluice.testing.TestData.numbered;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sluice.format.Jsonl;
import io.sluice.storage.InMemoryObjectStore;
import io.sluice.testing.ChunkedStore;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.observability.micrometer.Micrometer;
import reactor.core.publisher.Flux;

/** The names and tags that reading and writing bring along are those under which Micrometer's listeners find them. */
class MetricsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final ChunkedStore store = new ChunkedStore(64, null).with("a.jsonl", numbered(0, 100));

    @AfterEach
    void close() {
        registry.close();
    }

    @Test
    void aReadIsMeteredUnderItsNameAndFormat() {
        Dataset.at(store, "a.jsonl", Jsonl.maps())
                .read()
                .tap(Micrometer.metrics(registry))
                .blockLast(PATIENCE);

        assertThat(registry.get("sluice.read.requested")
                        .tag("format", "jsonl maps")
                        .summary()
                        .count())
                .isEqualTo(1);
        assertThat(registry.get("sluice.read.onNext.delay")
                        .tag("format", "jsonl maps")
                        .timer()
                        .count())
                .isEqualTo(100);
        assertThat(registry.get("sluice.read.flow.duration")
                        .tag("format", "jsonl maps")
                        .tag("status", "completed")
                        .timer()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void aFailedReadIsMeteredWithItsError() {
        assertThatThrownBy(() -> Dataset.at(store, "gone.jsonl", Jsonl.maps())
                        .readPositioned()
                        .tap(Micrometer.metrics(registry))
                        .blockLast(PATIENCE))
                .isInstanceOf(StorageException.class);

        assertThat(registry.get("sluice.read.flow.duration")
                        .tag("status", "error")
                        .tag("exception", StorageException.class.getName())
                        .timer()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void aNameOfTheUsersOwnTakesTheirPlace() {
        Dataset.at(store, "a.jsonl", Jsonl.maps())
                .read()
                .name("events")
                .tag("source", "a")
                .tap(Micrometer.metrics(registry))
                .blockLast(PATIENCE);

        assertThat(registry.get("events.flow.duration")
                        .tag("source", "a")
                        .tag("format", "jsonl maps")
                        .timer()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void aWriteIsMeteredToo() {
        Flux<Map<String, Object>> values = Flux.just(Map.of("n", 1), Map.of("n", 2));
        Dataset.at(InMemoryObjectStore.create(), "d/", Jsonl.maps())
                .write(values)
                .tap(Micrometer.metrics(registry))
                .block(PATIENCE);

        assertThat(registry.get("sluice.write.flow.duration")
                        .tag("format", "jsonl maps")
                        .timer()
                        .count())
                .isEqualTo(1);
    }
}
