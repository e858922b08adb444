/**
 * GET and PUT of a node beside nginx, rsync's daemon and small programs in C that do the least that
 * has to be done.
 *
 * <p>Data in: the packaged program, {@code bench/native}, {@code bench/peers}, the peers installed.
 * Data out: {@code bench/results/transfer.json}, {@code .md}, {@code .svg}, and the configurations
 * that were used beside them. Start with {@link io.theseus.bench.transfer.TransferBenchmark}.
 */
@NullMarked
package io.theseus.bench.transfer;

import org.jspecify.annotations.NullMarked;
