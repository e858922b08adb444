/**
 * Benchmarks of whole nodes beside the programs that people would use instead.
 *
 * <p>Data in: a machine and the peers installed on it. Data out: {@code bench/results/NAME.json},
 * {@code .md} and {@code .svg}, in one schema for all. Start with {@link
 * io.theseus.bench.BenchResults}.
 */
@NullMarked
package io.theseus.bench;

import org.jspecify.annotations.NullMarked;
