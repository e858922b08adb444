/**
 * What clients see when code is switched under them: {@code ./theseus bench upgrade}.
 *
 * <p>Data in: a node whose operator is the benchmark, a crowd of clients whose arrivals the kernel
 * stamps, nginx to compare with. Data out: {@code bench/results/upgrade.md}, {@code .svg}, {@code
 * .json}, and raw traces. Start with {@link io.theseus.bench.upgrade.CellRun}.
 */
@NullMarked
package io.theseus.bench.upgrade;

import org.jspecify.annotations.NullMarked;
