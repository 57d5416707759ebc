/**
 * Measures Sluice against its peers: {@code Tables} runs whole processes side by side, {@code ParseBenchmark} and its like are
 * JMH's. Nothing here is a test of correctness, and no test of the project measures time.
 */
@NullMarked
package io.sluice.benchmarks;

import org.jspecify.annotations.NullMarked;
