/**
 * What copies on other nodes cost an upload, beside HDFS and plain C, and how they come there,
 * beside Akka's own way; {@code ./theseus bench backup} and {@code ./theseus bench artery}.
 *
 * <p>Data in: three nodes of ours, HDFS and a C program, each as processes on this machine; pairs
 * of processes that are one end each of a copy. Data out: {@code bench/results/backup.json}, {@code
 * .md}, {@code .svg}, every single run in {@code .csv}, the same of {@code artery}. Start with
 * {@link io.theseus.bench.backup.BackupBenchmark} and {@link
 * io.theseus.bench.backup.ArteryBenchmark}.
 */
@NullMarked
package io.theseus.bench.backup;

import org.jspecify.annotations.NullMarked;
