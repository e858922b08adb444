package io.theseus.bench.backup;

import io.theseus.bench.LoadRun;
import io.theseus.bench.Usage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * One run of one contender.
 *
 * @param round 0 for a warm-up
 * @param cpuSeconds of the servers
 * @param load of the machine before it, the average of a minute
 * @param fromMillis when it began, by the wall clock
 */
record Sample(
    String what,
    int round,
    String contender,
    LoadRun run,
    double cpuSeconds,
    double load,
    long fromMillis,
    long toMillis) {
  private static final double GIB = 1L << 30;

  /** The columns of {@link #csv}. */
  static final String COLUMNS = "case,round,contender,bytes,seconds,GB/s,server CPU s,load average";

  static Sample take(BackupCase what, int round, Contender contender, String prefix)
      throws IOException {
    double load = Double.parseDouble(Files.readString(Path.of("/proc/loadavg")).split(" ", 2)[0]);
    double before = cpu(contender);
    long from = System.currentTimeMillis();
    LoadRun run = contender.put(what, prefix);
    long to = System.currentTimeMillis();
    return new Sample(
        what.name(), round, contender.name(), run, cpu(contender) - before, load, from, to);
  }

  private static double cpu(Contender contender) throws IOException {
    double sum = 0;
    for (ProcessHandle each : contender.servers()) {
      sum += Usage.cpuSeconds(each);
    }
    return sum;
  }

  /** GB/s. */
  double rate() {
    return run.bytes() / 1e9 / run.seconds();
  }

  /** Seconds of the servers' CPU for each GiB. */
  double cpu() {
    return cpuSeconds / (run.bytes() / GIB);
  }

  String shown() {
    return String.format(
        Locale.ROOT,
        "%-13s %-9s %-13s %6.3f GB/s  %6.3f s/GiB  load %.1f",
        what,
        round == 0 ? "warm-up" : "round " + round,
        contender,
        rate(),
        cpu(),
        load);
  }

  String csv() {
    return String.format(
        Locale.ROOT,
        "%s,%d,%s,%d,%.6f,%.4f,%.3f,%.2f",
        what,
        round,
        contender,
        run.bytes(),
        run.seconds(),
        rate(),
        cpuSeconds,
        load);
  }
}
