package io.sluice.webflux;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.sluice.codec.Compressions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

/** The socket asks for the next block, and nobody else does. */
class BackpressureTest {

    @TempDir
    static Path data;

    private static Service service;

    @BeforeAll
    static void start() throws IOException {
        Service.write(data.resolve("large"), Service.lines(100_000, 6), Compressions.none(), 1_000_000);
        for (int i = 1; i < 10; i++) {
            Files.createLink(data.resolve("large/part-0000" + i + ".jsonl"), data.resolve("large/part-00000.jsonl"));
        }
        service = new Service(data, "--sluice.service.max-reads=3");
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @Test
    void oneBlockIsAskedForBeyondTheOneThatIsWritten() {
        AtomicLong asked = new AtomicLong();
        AtomicReference<Sinks.Empty<Void>> write = new AtomicReference<>(Sinks.empty());
        Flux<Integer> blocks = Flux.range(0, 4).doOnRequest(asked::addAndGet);
        Mono<Void> written = Mono.defer(() -> write.get().asMono());
        // as Reactor Netty does it: it wants all there is
        StepVerifier.create(BlockByBlock.of(blocks, written).concatMap(group -> group, 32))
                .expectNext(0)
                .then(() -> assertThat(asked).hasValue(2))
                .then(() -> write.getAndSet(Sinks.empty()).tryEmitEmpty())
                .expectNext(1)
                .then(() -> assertThat(asked).hasValue(3))
                .then(() -> write.getAndSet(Sinks.empty()).tryEmitEmpty())
                .expectNext(2)
                .then(() -> assertThat(asked).hasValue(4))
                .then(() -> write.get().tryEmitEmpty())
                .expectNext(3)
                .verifyComplete();
    }

    @Test
    void nothingIsLostOrOvertakenWhereReadingAndWritingMeet() {
        Flux<Integer> blocks = Flux.range(0, 20_000).publishOn(Schedulers.boundedElastic(), 1);
        Mono<Void> written = Mono.<Void>empty().publishOn(Schedulers.single());
        StepVerifier.create(BlockByBlock.of(blocks, written)
                        .concatMap(group -> group, 32)
                        .collectList())
                .expectNext(IntStream.range(0, 20_000).boxed().toList())
                .expectComplete()
                .verify(Duration.ofSeconds(30));
    }

    @Test
    void anErrorIsNotTakenForTheEnd() {
        Flux<Integer> blocks = Flux.just(1, 2).concatWith(Mono.error(new IOException("cut")));
        StepVerifier.create(BlockByBlock.of(blocks, Mono.empty()).concatMap(group -> group, 32))
                .expectNext(1, 2)
                .verifyErrorMessage("cut");
        StepVerifier.create(BlockByBlock.of(Flux.error(new IOException("cut")), Mono.empty()))
                .verifyErrorMessage("cut");
        StepVerifier.create(BlockByBlock.of(Flux.empty(), Mono.empty())).verifyComplete();
    }

    @Test
    void toLeaveCancelsTheSource() {
        AtomicLong cancelled = new AtomicLong();
        Flux<Integer> blocks = Flux.range(0, 5).doOnCancel(cancelled::incrementAndGet);
        StepVerifier.create(BlockByBlock.of(blocks, Mono.never()).concatMap(group -> group, 32))
                .expectNext(0)
                .thenCancel()
                .verify();
        assertThat(cancelled).hasValue(1);
    }

    @Test
    void aClientThatDoesNotReadStopsTheReading() throws Exception {
        double before = meter("sluice.service.bytes");
        try (Socket socket = slow()) {
            assertThat(socket.getInputStream().read()).isEqualTo('H');
            await(() -> settled());
            // what the system's socket buffers take, which is not ours, and two blocks: of 85 MB
            assertThat(meter("sluice.service.bytes") - before).isLessThan(8 << 20);
            assertThat(meter("sluice.service.open")).isEqualTo(1);
        }
        await(() -> meter("sluice.service.open") == 0);
    }

    @Test
    void aClientThatLeavesStopsTheReadingAtOnce() throws Exception {
        try (Socket socket = slow()) {
            socket.getInputStream().readNBytes(1_000_000); // in full swing
        }
        await(() -> meter("sluice.service.open") == 0);
        double after = meter("sluice.service.bytes");
        assertThat(after).isLessThan(80e6);
        assertThat(settled()).isTrue();
        assertThat(meter("sluice.service.bytes")).isEqualTo(after);
    }

    @Test
    void moreReadsThanConfiguredAreRefused() throws Exception {
        try (Socket a = slow();
                Socket b = slow();
                Socket c = slow()) {
            await(() -> meter("sluice.service.open") == 3);
            assertThat(service.get("/datasets/large").statusCode()).isEqualTo(503);
        }
        await(() -> meter("sluice.service.open") == 0);
        assertThat(service.get("/datasets/large?limit=1").statusCode()).isEqualTo(200);
    }

    static Socket slow(int port, String name, String accept) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4096);
        socket.connect(new InetSocketAddress("127.0.0.1", port));
        socket.getOutputStream()
                .write(HttpSocket.head("GET", "/datasets/" + name, "Accept", accept)
                        .getBytes(StandardCharsets.ISO_8859_1));
        return socket;
    }

    private static Socket slow() throws IOException {
        return slow(service.port, "large", "*/*");
    }

    private static boolean settled() {
        return settled(() -> meter("sluice.service.bytes"));
    }

    /** Whether a meter stays what it is for a while. */
    static boolean settled(Supplier<Double> meter) {
        double before = meter.get();
        return Flux.interval(Duration.ofMillis(20))
                .take(15)
                .all(tick -> meter.get() == before)
                .block();
    }

    private static double meter(String name) {
        return service.context
                .getBean(MeterRegistry.class)
                .get(name)
                .tag("direction", "read")
                .meters()
                .iterator()
                .next()
                .measure()
                .iterator()
                .next()
                .getValue();
    }

    static void await(Callable<Boolean> condition) {
        Mono.fromCallable(condition)
                .subscribeOn(Schedulers.boundedElastic())
                .filter(Boolean::booleanValue)
                .repeatWhenEmpty(tries -> tries.delayElements(Duration.ofMillis(10)))
                .block(Duration.ofSeconds(30));
    }
}
