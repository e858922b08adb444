/**
 * What copies on other nodes cost an upload, beside HDFS and plain C; {@code ./theseus bench
 * backup}.
 *
 * <p>Data in: three nodes of ours, HDFS and a C program, each as processes on this machine. Data
 * out: {@code bench/results/backup.json}, {@code .md}, {@code .svg}, every single run in {@code
 * .csv}. Start with {@link io.theseus.bench.backup.BackupBenchmark}.
 */
@NullMarked
package io.theseus.bench.backup;

import org.jspecify.annotations.NullMarked;
