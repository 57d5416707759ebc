package io.sluice.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Ends a JVM whose tests have stopped going on, after it has said which test that is and where every thread is. JUnit's time-outs
 * come first, but reach only methods: not constructors, field initialisers, static set-up or tests made by a factory.
 *
 * <p>Registered as a service of the test jar, so that it watches the tests of every module that has it on its class path.
 */
public final class HangWatch implements TestExecutionListener {

    /** Seconds without a test that begins or ends; longer than JUnit's default time-out, see the root pom. */
    static final String PATIENCE = "sluice.test.patience";

    private static final int EXIT = 86;

    private final Duration patience;
    private final Consumer<String> hung;
    private final AtomicLong lastEvent = new AtomicLong();
    private volatile String lastTest = "none has begun";
    private volatile @Nullable Thread watching;

    /** For the service loader. */
    public HangWatch() {
        this(Duration.ofSeconds(Long.getLong(PATIENCE, 300)), HangWatch::halt);
    }

    HangWatch(Duration patience, Consumer<String> hung) {
        this.patience = patience;
        this.hung = hung;
    }

    @Override
    public void testPlanExecutionStarted(TestPlan plan) {
        start();
    }

    Thread start() {
        lastEvent.set(System.nanoTime());
        Thread thread = new Thread(this::watch, "hang-watch");
        thread.setDaemon(true);
        watching = thread;
        thread.start();
        return thread;
    }

    @Override
    public void testPlanExecutionFinished(TestPlan plan) {
        stop();
    }

    void stop() {
        Thread thread = watching;
        watching = null;
        LockSupport.unpark(thread);
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        went("in " + test.getUniqueId());
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        went("after " + test.getUniqueId());
    }

    private void went(String where) {
        lastTest = where;
        lastEvent.set(System.nanoTime());
    }

    private void watch() {
        while (watching == Thread.currentThread()) {
            long left = lastEvent.get() + patience.toNanos() - System.nanoTime();
            if (left > 0) {
                LockSupport.parkNanos(left);
            } else {
                hung.accept(report());
                return;
            }
        }
    }

    /** Threads in our own code come last, where the end of a log still shows them. */
    private String report() {
        StringBuilder report = new StringBuilder();
        StringBuilder ours = new StringBuilder();
        for (ThreadInfo thread : ManagementFactory.getThreadMXBean().dumpAllThreads(true, true)) {
            boolean our = Arrays.stream(thread.getStackTrace())
                    .anyMatch(frame -> frame.getClassName().startsWith("io.sluice."));
            append(thread, our ? ours : report);
        }
        return report.append(ours)
                .append("\nNo test has begun or ended for ")
                .append(patience.toSeconds())
                .append(" s, ")
                .append(lastTest)
                .append(". Above are the threads.")
                .toString();
    }

    private static void append(ThreadInfo thread, StringBuilder report) {
        report.append("\n\"").append(thread.getThreadName()).append("\" ").append(thread.getThreadState());
        LockInfo lock = thread.getLockInfo();
        if (lock != null) {
            report.append(" on ").append(lock);
        }
        if (thread.getLockOwnerName() != null) {
            report.append(" of \"").append(thread.getLockOwnerName()).append('"');
        }
        for (StackTraceElement frame : thread.getStackTrace()) {
            report.append("\n\tat ").append(frame);
        }
        report.append('\n');
    }

    /** In any case, even if nobody takes what is printed. */
    private static void halt(String report) {
        AtomicBoolean printed = new AtomicBoolean();
        Thread watch = Thread.currentThread();
        Thread printing = new Thread(
                () -> {
                    // not what Surefire puts in the place of System.err, which is not sent in time
                    PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, UTF_8);
                    err.println(report);
                    printed.set(true);
                    LockSupport.unpark(watch);
                },
                "hang-watch-print");
        printing.setDaemon(true);
        printing.start();
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!printed.get() && System.nanoTime() < until) {
            LockSupport.parkNanos(until - System.nanoTime());
        }
        Runtime.getRuntime().halt(EXIT);
    }
}
