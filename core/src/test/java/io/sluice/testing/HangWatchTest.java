package io.sluice.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

class HangWatchTest {

    @Test
    void endsAJvmWhoseTestHangsWhereNoTimeoutReachesAndSaysWhere() throws Exception {
        Fork.Result result = Fork.run(Main.class, List.of("-D" + HangWatch.PATIENCE + "=2"));
        assertThat(result.output())
                .contains("No test has begun or ended for 2 s, in ")
                .contains("HangWatchTest$Stuck")
                .contains("HangWatchTest$Stuck.<init>")
                .doesNotContain("not ended");
        assertThat(result.exit()).isEqualTo(86);
    }

    @Test
    void saysNothingOfTestsThatAreOver() throws Exception {
        CompletableFuture<String> report = new CompletableFuture<>();
        HangWatch watch = new HangWatch(Duration.ofHours(1), report::complete);
        Thread thread = watch.start();
        watch.stop();
        thread.join();
        assertThat(report).isNotDone();
    }

    /** Not found by the name that the tests of a build have. */
    static final class Stuck {

        Stuck() throws InterruptedException {
            new CountDownLatch(1).await();
        }

        @Test
        void isNeverReached() {}
    }

    static final class Main {

        public static void main(String[] arguments) {
            LauncherFactory.create()
                    .execute(LauncherDiscoveryRequestBuilder.request()
                            .selectors(selectClass(Stuck.class))
                            .build());
            System.out.println("not ended");
        }
    }
}
