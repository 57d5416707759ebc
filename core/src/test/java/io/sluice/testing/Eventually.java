package io.sluice.testing;

import java.time.Duration;

/** Waiting for what other threads are about to do. */
public final class Eventually {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private Eventually() {}

    /** Repeats an assertion until it holds; after half a minute it fails as it then does. */
    public static void eventually(Runnable assertion) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                assertion.run();
                return;
            } catch (AssertionError notYet) {
                if (System.nanoTime() - deadline > 0) {
                    throw notYet;
                }
                Thread.yield();
            }
        }
    }
}
