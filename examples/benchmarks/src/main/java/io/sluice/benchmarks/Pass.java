package io.sluice.benchmarks;

import java.nio.file.Path;

/** A process that measures one contender: so many passes to warm up, so many that count. */
final class Pass {

    private Pass() {}

    /** Arguments: contender, file, cores, warm-up passes, measured passes. Prints the records, then MB/s for each pass. */
    public static void main(String[] args) throws Exception {
        Contender contender = Contender.valueOf(args[0]);
        Path original = Path.of(args[1]);
        Path file = contender.prepare(original);
        int cores = Integer.parseInt(args[2]);
        int warmUp = Integer.parseInt(args[3]);
        int measured = Integer.parseInt(args[4]);
        double megabytes = contender.megabytes(original);
        StringBuilder result = new StringBuilder("RESULT");
        for (int i = 0; i < warmUp + measured; i++) {
            long start = System.nanoTime();
            long records = contender.pass(file, cores);
            double seconds = (System.nanoTime() - start) / 1e9;
            if (i == 0) {
                result.append(' ').append(records);
            }
            if (i >= warmUp) {
                result.append(' ').append(megabytes / seconds);
            }
        }
        System.out.println(result);
    }
}
